package spec_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/spec"
)

func TestBindSources(t *testing.T) {
	for _, tt := range []struct{ name, mounts, want string }{
		{name: "none", mounts: `[]`, want: "[]"},
		{name: "null", mounts: `null`, want: "[]"},
		{
			name:   "the kernel's own",
			mounts: `[{"type": "proc", "source": "proc"}, {"type": "tmpfs", "source": "tmpfs"}, {"type": "sysfs"}]`,
			want:   "[]",
		},
		{name: "by its type", mounts: `[{"type": "bind", "source": "/a"}]`, want: "[/a]"},
		{
			name:   "by an option",
			mounts: `[{"type": "none", "source": "/a", "options": ["ro", "bind"]}]`, want: "[/a]",
		},
		{
			name: "by an option, without a type", mounts: `[{"source": "a", "options": ["rbind"]}]`,
			want: "[a]",
		},
		{name: "a disk", mounts: `[{"type": "ext4", "source": "/dev/sda1"}]`, want: "[/dev/sda1]"},
		{
			name:   "an overlay",
			mounts: `[{"type": "overlay", "source": "overlay", "options": ["lowerdir=/a:/b", "upperdir=/c", "workdir=/d", "userxattr"]}]`,
			want:   "[/a /b /c /d]",
		},
		{
			name:   "an overlay by the new options",
			mounts: `[{"type": "overlay", "source": "overlay", "options": ["lowerdir+=/a", "datadir+=/b"]}]`,
			want:   "[/a /b]",
		},
		{
			name:   "several",
			mounts: `[{"type": "bind", "source": "/a"}, {"type": "tmpfs", "source": "x"}, {"type": "bind", "source": "/b"}]`,
			want:   "[/a /b]",
		},
	} {
		s, err := spec.Parse([]byte(`{"mounts": ` + tt.mounts + `}`))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if got := fmt.Sprint(s.BindSources()); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// What reaches out of the container has one meaning, as linux.seccomp has.
func TestOutsideErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{
			text: `{"Mounts": []}`,
			want: `key "Mounts" in the spec differs from "mounts" only in case`,
		},
		{
			text: `{"mounts": [{"Source": "/"}]}`,
			want: `key "Source" in mounts[] differs from "source" only in case`,
		},
		{text: `{"mounts": [], "mounts": []}`, want: `key "mounts" occurs twice in the spec`},
		{
			text: `{"mounts": [{"source": "/etc\u0000x"}]}`,
			want: `a string, "/etc\u0000x", holds a NUL`,
		},
		{text: `{"mounts": {}}`, want: `mounts: json: cannot unmarshal object`},
		{
			text: `{"hooks": {"Prestart": []}}`,
			want: `key "Prestart" in hooks differs from "prestart" only in case`,
		},
		{
			text: `{"hooks": {"poststop": [{"PATH": "/x"}]}}`,
			want: `key "PATH" in hooks.poststop[] differs from "path" only in case`,
		},
		{text: `{"hooks": []}`, want: `hooks: not an object`},
		{text: `{"hooks": {"prestart": [{"path": "/x\u0000y"}]}}`, want: `holds a NUL`},
		{
			text: `{"linux": {"Namespaces": []}}`,
			want: `key "Namespaces" in linux differs from "namespaces" only in case`,
		},
		{text: `{"linux": {"namespaces": [{"type": "pid\u0000"}]}}`, want: `holds a NUL`},
		{text: `{"root": "x"}`, want: `root: not an object`},
		{
			text: `{"root": {"Path": "/"}}`,
			want: `key "Path" in root differs from "path" only in case`,
		},
	} {
		_, err := spec.Parse([]byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.text, err, tt.want)
		}
	}
}
