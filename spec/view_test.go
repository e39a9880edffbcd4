package spec_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/spec"
)

func TestParseView(t *testing.T) {
	const full = `{
		"ociVersion": "1.2.0",
		"process": {"noNewPrivileges": true, "capabilities": {"bounding": ["CAP_CHOWN", "CAP_KILL"], "effective": []}},
		"annotations": {"a": "1", "b.c": "\u00e9"},
		"linux": {"namespaces": [], "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 18446744073709551615, "op": "SCMP_CMP_EQ"}]}]}}
	}`
	s, err := spec.Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	want := spec.View{
		Annotations:     map[string]string{"a": "1", "b.c": "é"},
		Bounding:        []string{"CAP_CHOWN", "CAP_KILL"},
		NoNewPrivileges: true,
		Seccomp:         []byte(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 18446744073709551615, "op": "SCMP_CMP_EQ"}]}]}`),
	}
	if !reflect.DeepEqual(s.View, want) {
		t.Errorf("got  %+v\nwant %+v", s.View, want)
	}
}

func TestParseSeccompAbsent(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"no linux", `{}`},
		{"linux null", `{"linux": null}`},
		{"linux empty", `{"linux": {}}`},
		{"seccomp null", `{"linux": {"seccomp": null}}`},
		{"elsewhere", `{"process": {"seccomp": {}}, "windows": {"seccomp": {}}}`},
		{"a key that reads as a path", `{"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}}`},
		{"a key that reads as a path, below linux", `{"linux": {"seccomp.syscalls[]": {}}}`},
		{"an escaped backslash", `{"linux\\u0000": {"seccomp": {}}}`},
		{"a NUL in another value", `{"process": {"args": ["a\u0000"]}}`},
		{"an empty key", `{"": {"linux": {"seccomp": {}}}}`},
		{"an empty key below linux", `{"linux": {"": {"seccomp": {}}}}`},
	} {
		s, err := spec.Parse([]byte(tt.text))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if s.Seccomp != nil {
			t.Errorf("%s: Seccomp is %s, want none", tt.name, s.Seccomp)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", `1:1: not valid JSON: unexpected end of JSON input; let the engine write it again`},
		{"not JSON", "{\n  \"linux\": }", `2:12: not valid JSON: invalid character '}' looking for beginning of value; let the engine write it again`},
		{"two values", `{} {}`, `1:4: not valid JSON: invalid character '{' after top-level value; let the engine write it again`},
		{"byte order mark", "\ufeff{}", `1:1: not valid JSON: invalid character 'ï' looking for beginning of value; let the engine write it again`},
		{"a list", `[{"linux": {}}]`, `1:1: the spec is not a JSON object; let the engine write it again`},
		{"duplicate linux", "{\"linux\": {},\n \"linux\": {}}", `2:2: key "linux" occurs twice in the spec; runtimes may take either: remove one`},
		{"duplicate by escape", `{"linux": {"seccomp": {}, "se\u0063comp": null}}`, `1:27: key "seccomp" occurs twice in linux; runtimes may take either: remove one`},
		{"duplicate elsewhere", `{"annotations": {"a": "1", "a": "2"}}`, `1:28: key "a" occurs twice in annotations; runtimes may take either: remove one`},
		{"Linux", `{"Linux": {}}`, `1:2: key "Linux" in the spec differs from "linux" only in case; runtimes may take either: write "linux"`},
		{"SECCOMP", `{"linux": {"SECCOMP": {}}}`, `1:12: key "SECCOMP" in linux differs from "seccomp" only in case; runtimes may take either: write "seccomp"`},
		{"long s", `{"linux": {"ſeccomp": {}}}`, `1:12: key "ſeccomp" in linux differs from "seccomp" only in case; runtimes may take either: write "seccomp"`},
		{"Process", `{"Process": {}}`, `1:2: key "Process" in the spec differs from "process" only in case; runtimes may take either: write "process"`},
		{"Bounding", `{"process": {"capabilities": {"Bounding": []}}}`, `1:31: key "Bounding" in process.capabilities differs from "bounding" only in case; runtimes may take either: write "bounding"`},
		{"DefaultAction", `{"linux": {"seccomp": {"DefaultAction": "x"}}}`, `1:24: key "DefaultAction" in linux.seccomp differs from "defaultAction" only in case; runtimes may take either: write "defaultAction"`},
		{"Action of a rule", `{"linux": {"seccomp": {"syscalls": [{"Action": "x"}]}}}`, `1:38: key "Action" in linux.seccomp.syscalls[] differs from "action" only in case; runtimes may take either: write "action"`},
		{"a key that ends early in C", `{"linux\u0000": {"seccomp": {}}, "linux": {}}`, `1:2: a key, "linux\u0000", holds a NUL, where some runtimes end it; remove it`},
		{"an annotation that ends early in C", `{"annotations": {"a\u0000b": "c"}}`, `1:18: a key, "a\u0000b", holds a NUL, where some runtimes end it; remove it`},
		{"a syscall that ends early in C", `{"linux": {"seccomp": {"syscalls": [{"names": ["bpf\u0000x"]}]}}}`, `1:48: a string, "bpf\u0000x", holds a NUL, where some runtimes end it; remove it`},
		{"linux a string", `{"linux": "x"}`, `1:11: linux: not an object; see runtime-spec's config.md`},
		{"seccomp a list", `{"linux": {"seccomp": []}}`, `1:23: linux.seccomp: not an object; see runtime-spec's config.md`},
		{"annotations of numbers", `{"annotations": {"a": 1}}`, `1:17: annotations: json: cannot unmarshal number into Go value of type string; see runtime-spec's config.md`},
		{"too deep", `{"a": ` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}`, `1:207: a` + strings.Repeat("[]", 200) + `: nested more than 200 deep; no runtime-spec field is`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := spec.Parse([]byte(tt.text))
			if err == nil {
				t.Fatalf("no error, want %s", tt.want)
			}
			if err.Error() != tt.want {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
		})
	}
}

func TestParseTooLarge(t *testing.T) {
	text := []byte(`{"a": "` + strings.Repeat("x", spec.MaxSize) + `"}`)
	if _, err := spec.Parse(text); err == nil || !strings.Contains(err.Error(), "make the spec smaller") {
		t.Errorf("got %v, want an error on the size", err)
	}
	if _, err := spec.Parse(text[:0:0]); err == nil {
		t.Error("no error for an empty spec")
	}
	text = []byte(`{"a": "` + strings.Repeat("x", spec.MaxSize/2) + `"}`)
	if _, err := spec.Parse(text); err != nil {
		t.Errorf("half the size: %v", err)
	}
}

func TestParseOfTheLargestSize(t *testing.T) {
	text := []byte(`{"a": "` + strings.Repeat("x", spec.MaxSize-9) + `"}`)
	if len(text) != spec.MaxSize {
		t.Fatalf("%d bytes", len(text))
	}
	if _, err := spec.Parse(text); err != nil {
		t.Errorf("%d bytes: %v", len(text), err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, spec.FileName)
	for _, tt := range []struct {
		text []byte
		ok   bool
	}{{text, true}, {append(text, ' '), false}} {
		if err := os.WriteFile(path, tt.text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := spec.Load(dir); (err == nil) != tt.ok {
			t.Errorf("a file of %d bytes: %v", len(tt.text), err)
		}
	}
}
