package profile

import (
	"encoding/json"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Encode is s as the JSON value of linux.seccomp. It differs from encoding
// the runtime-spec type in one thing: an empty list of flags is written, since
// leaving it out makes runc load the filter with SPEC_ALLOW.
func Encode(s specs.LinuxSeccomp) ([]byte, error) {
	type plain specs.LinuxSeccomp // without the field that is overridden
	out := struct {
		plain
		Flags *[]specs.LinuxSeccompFlag `json:"flags,omitempty"`
	}{plain: plain(s)}
	if s.Flags != nil {
		out.Flags = &s.Flags
	}
	return json.Marshal(out)
}

// Decode reads the value of a spec's linux.seccomp as runc does, which takes
// unknown keys; nil or null is no profile.
func Decode(data []byte) (*specs.LinuxSeccomp, error) {
	if len(data) == 0 {
		return nil, nil
	}
	var s *specs.LinuxSeccomp
	err := json.Unmarshal(data, &s)
	return s, err
}
