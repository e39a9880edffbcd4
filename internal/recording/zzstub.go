package recording
import ("encoding/json";"bytes";"github.com/batten-runtime/batten/policy/profile")
func Formats() []string { return []string{"oci","docker","spo"} }
func Encode(m *Made, f string) ([]byte, error) { var b bytes.Buffer; err := json.Indent(&b, profile.Encode(m.Seccomp), "", "  "); b.WriteByte('\n'); return b.Bytes(), err }
