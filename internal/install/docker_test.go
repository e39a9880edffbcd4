package install

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestDockerRefusals(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a comment", "{} // mine\n", "is no JSON object: invalid character '/' after top-level value"},
		{"a list", "[]", "is no JSON object: json: cannot unmarshal array into Go value of type map[string]json.RawMessage"},
		{"twice", `{"runtimes": {}, "runtimes": {"a": {}}}`, `has the key "runtimes" twice; remove one`},
		{"runtimes", `{"runtimes": []}`, "its runtimes are no object"},
		{"taken", `{"runtimes": {"batten": {"path": "/x"}}}`, `there is a runtime "batten" already; choose another name with --handler`},
		{"allowed", `{"runtimes": {"other": {"path": "/x"}}}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options
			o.Dir, o.Config = t.TempDir(), filepath.Join(t.TempDir(), "daemon.json")
			write0(t, o.Config, tt.text)
			want := o.Config + ": " + tt.want
			if _, err := Docker(o); tt.want == "" && err != nil || tt.want != "" && (err == nil || err.Error() != want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
	o := options
	o.Handler = "Batten_1"
	if _, err := Docker(o); err == nil || !strings.Contains(err.Error(), `handler "Batten_1" is not of lower-case letters`) {
		t.Errorf("a handler's name: %v", err)
	}
}
