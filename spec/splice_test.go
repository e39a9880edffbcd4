package spec_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/spec"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const newSeccomp = `{"defaultAction":"SCMP_ACT_ERRNO"}`

func TestSplice(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"replaced", `{"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}, "x": 1}}`, `{"linux": {"seccomp": ` + newSeccomp + `, "x": 1}}`},
		{"null", `{"linux":{"seccomp" : null }}`, `{"linux":{"seccomp" : ` + newSeccomp + ` }}`},
		{"into linux", "{\"linux\": {\n\"x\": 1e999 }}", "{\"linux\": {\"seccomp\":" + newSeccomp + ",\n\"x\": 1e999 }}"},
		{"into empty linux", `{"linux": { }}`, `{"linux": {"seccomp":` + newSeccomp + ` }}`},
		{"linux null", `{"linux": null, "a": [1, 2]}`, `{"linux": {"seccomp":` + newSeccomp + `}, "a": [1, 2]}`},
		{"no linux", ` {"a": 100000000000000000000000000001} `, ` {"linux":{"seccomp":` + newSeccomp + `},"a": 100000000000000000000000000001} `},
		{"empty", `{}`, `{"linux":{"seccomp":` + newSeccomp + `}}`},
		{"not the look-alike", `{"linux.seccomp": {}, "linux": {"": {"seccomp": {}}}}`, `{"linux.seccomp": {}, "linux": {"seccomp":` + newSeccomp + `,"": {"seccomp": {}}}}`},
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

// FuzzSplice holds the splice to what encoding/json, which runc reads specs
// with, makes of the result: everything as before, but for linux.seccomp.
func FuzzSplice(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"linux":null}`, `{"linux":{}}`, `{"linux":{"seccomp":null}}`,
		`{"ociVersion":"1.2.0","process":{"args":["a"],"capabilities":{"bounding":["CAP_CHOWN"]}},"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW"},"resources":{}},"annotations":{"a":"b"}}`,
		`{"":{"linux":{}},"linux.seccomp":1,"Linux":{}}`, `{"\u006cinux":{"secco\u006dp":{}}}`,
		`{"linux":{"seccomp":{},"seccomp":{}}}`, "{\"li\xffnux\":{}}", `{"linuſ":{}}`,
	} {
		f.Add([]byte(seed))
	}
	if example, err := os.ReadFile("testdata/config.json"); err == nil {
		f.Add(example)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := spec.Parse(data)
		if err != nil {
			return
		}
		checkView(t, data, s)
		got := s.Splice([]byte(newSeccomp))
		checkAsRuncReads(t, data, got)
		again, err := spec.Parse(got)
		if err != nil {
			t.Fatalf("the result does not parse: %v\n%s", err, got)
		}
		if twice := again.Splice([]byte(newSeccomp)); !bytes.Equal(twice, got) {
			t.Fatalf("not idempotent:\n%s\n%s", got, twice)
		}
	})
}

// checkView holds what a decision is made by to what runc reads: the same
// annotations, bounding set and filter, or neither reads it.
func checkView(t *testing.T, data []byte, s *spec.Spec) {
	t.Helper()
	var want specs.Spec
	if json.NewDecoder(bytes.NewReader(data)).Decode(&want) != nil {
		return // runc would not read it
	}
	var bounding []string
	var noNewPrivileges bool
	if want.Process != nil {
		noNewPrivileges = want.Process.NoNewPrivileges
		if want.Process.Capabilities != nil {
			bounding = want.Process.Capabilities.Bounding
		}
	}
	if !maps.Equal(s.Annotations, want.Annotations) || !slices.Equal(s.Bounding, bounding) || s.NoNewPrivileges != noNewPrivileges {
		t.Fatalf("view %+v\nrunc reads annotations %q, bounding %q, noNewPrivileges %v", s.View, want.Annotations, bounding, noNewPrivileges)
	}
	var got *specs.LinuxSeccomp
	if s.Seccomp != nil {
		if err := json.Unmarshal(s.Seccomp, &got); err != nil {
			t.Fatalf("runc reads linux.seccomp, and here it is an error: %v", err)
		}
	}
	var filter *specs.LinuxSeccomp
	if want.Linux != nil {
		filter = want.Linux.Seccomp
	}
	if !reflect.DeepEqual(got, filter) {
		t.Fatalf("view of linux.seccomp %s\nrunc reads %+v", s.Seccomp, filter)
	}
}

func checkAsRuncReads(t *testing.T, before, after []byte) {
	t.Helper()
	var old, new struct {
		specs.Spec
		Linux map[string]json.RawMessage `json:"linux"`
	}
	if json.Unmarshal(before, &old) != nil {
		return // runc would not read it
	}
	if err := json.Unmarshal(after, &new); err != nil {
		t.Fatalf("runc could read the spec before and cannot now: %v\n%s", err, after)
	}
	if string(new.Linux["seccomp"]) != newSeccomp {
		t.Fatalf("runc reads linux.seccomp as %s\n%s", new.Linux["seccomp"], after)
	}
	delete(old.Linux, "seccomp")
	delete(new.Linux, "seccomp")
	if len(old.Linux) == 0 {
		old.Linux, new.Linux = nil, nil
	}
	if !reflect.DeepEqual(old, new) {
		t.Fatalf("something else changed:\n%s\n%s", before, after)
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
		{"missing", func(string) error { return nil }, "spec: open PATH: no such file or directory"},
		{"a link", func(p string) error { return os.Symlink("/etc/hostname", p) }, "spec: open PATH: too many levels of symbolic links"},
		{"a directory", func(p string) error { return os.Mkdir(p, 0o700) }, `spec "PATH": not a regular file`},
		{"broken", func(p string) error { return os.WriteFile(p, []byte("{\n}}"), 0o600) }, `spec "PATH":2:2: not valid JSON: invalid character '}' after top-level value; let the engine write it again`},
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
