package spec_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/spec"
)

const newSeccomp = `{"defaultAction":"SCMP_ACT_ERRNO"}`

func TestSplice(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{
			name: "replaced",
			text: `{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}, "x": 1}}`,
			want: `{"linux": {"seccomp": ` + newSeccomp + `, "x": 1}}`,
		},
		{
			name: "null", text: `{"linux":{"seccomp" : null }}`,
			want: `{"linux":{"seccomp" : ` + newSeccomp + ` }}`,
		},
		{
			name: "into linux", text: "{\"linux\": {\n\"x\": 1e999 }}",
			want: "{\"linux\": {\"seccomp\":" + newSeccomp + ",\n\"x\": 1e999 }}",
		},
		{
			name: "into empty linux", text: `{"linux": { }}`,
			want: `{"linux": {"seccomp":` + newSeccomp + ` }}`,
		},
		{
			name: "linux null", text: `{"linux": null, "a": [1, 2]}`,
			want: `{"linux": {"seccomp":` + newSeccomp + `}, "a": [1, 2]}`,
		},
		{
			name: "no linux", text: ` {"a": 100000000000000000000000000001} `,
			want: ` {"linux":{"seccomp":` + newSeccomp + `},"a": 100000000000000000000000000001} `,
		},
		{name: "empty", text: `{}`, want: `{"linux":{"seccomp":` + newSeccomp + `}}`},
		{
			name: "not the look-alike",
			text: `{"linux.seccomp": {}, "linux": {"": {"seccomp": {}}}}`,
			want: `{"linux.seccomp": {}, "linux": {"seccomp":` + newSeccomp + `,"": {"seccomp": {}}}}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := spec.Parse([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			got := s.Splice([]byte(newSeccomp))
			if string(got) != tt.want {
				t.Fatalf("got  %s\nwant %s", got, tt.want)
			}
			again, err := spec.Parse(got)
			if err != nil {
				t.Fatal(err)
			}
			if twice := again.Splice([]byte(newSeccomp)); !bytes.Equal(twice, got) {
				t.Errorf("a second pass gives %s", twice)
			}
		})
	}
}

func TestRewrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, spec.FileName)
	if err := os.WriteFile(path, []byte(`{"linux":{}}`), 0o640); err != nil {
		t.Fatal(err)
	}
	for _, wantChanged := range []bool{true, false} {
		s, err := spec.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		changed, err := s.Rewrite(dir, []byte(newSeccomp))
		if err != nil || changed != wantChanged {
			t.Errorf("changed: %v (%v), want %v", changed, err, wantChanged)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v (%v), want 0640", info.Mode(), err)
	}
	data, _ := os.ReadFile(path)
	if want := `{"linux":{"seccomp":` + newSeccomp + `}}`; string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	onlyFile(t, dir)
}

// A rewrite that fails half-way leaves the old file and nothing else.
func TestRewriteFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, spec.FileName)
	if err := os.WriteFile(path, []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := spec.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	// A directory in the file's place: the rename cannot succeed.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rewrite(dir, []byte(newSeccomp)); err == nil {
		t.Fatal("no error")
	}
	onlyFile(t, dir)
}

func onlyFile(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the bundle holds %v (%v), want %s only", entries, err, spec.FileName)
	}
}

func TestLoadErrors(t *testing.T) {
	for _, tt := range []struct {
		name  string
		setUp func(path string) error
		want  string
	}{
		{
			name: "missing", setUp: func(string) error { return nil },
			want: "spec: open PATH: no such file or directory",
		},
		{
			name: "a link", setUp: func(p string) error { return os.Symlink("/etc/hostname", p) },
			want: "spec: open PATH: too many levels of symbolic links",
		},
		{
			name: "a directory", setUp: func(p string) error { return os.Mkdir(p, 0o700) },
			want: `spec "PATH": not a regular file`,
		},
		{
			name:  "broken",
			setUp: func(p string) error { return os.WriteFile(p, []byte("{\n}}"), 0o600) },
			want:  `spec "PATH":2:2: not valid JSON: invalid character '}' after top-level value; let the engine write it again`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, spec.FileName)
			if err := tt.setUp(path); err != nil {
				t.Fatal(err)
			}
			_, err := spec.Load(dir)
			if err == nil {
				t.Fatal("no error")
			}
			if got := string(bytes.ReplaceAll([]byte(err.Error()), []byte(path), []byte("PATH"))); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
