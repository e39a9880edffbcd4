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
		"root": {"path": "rootfs", "readonly": true},
		"mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}, {"destination": "/x", "type": "bind", "source": "/etc/batten", "options": ["rbind", "ro"]}],
		"hooks": {"poststop": [{"path": "/bin/b"}], "prestart": [{"path": "/bin/a", "args": ["a", "x"], "env": ["S=1"], "timeout": 1}, {"path": "/bin/c"}]},
		"linux": {"namespaces": [{"type": "mount"}, {"type": "pid", "path": "/proc/1/ns/pid"}], "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 18446744073709551615, "op": "SCMP_CMP_EQ"}]}]}}
	}`
	s, err := spec.Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	want := spec.View{
		Annotations:     map[string]string{"a": "1", "b.c": "é"},
		Bounding:        []string{"CAP_CHOWN", "CAP_KILL"},
		NoNewPrivileges: true,
		Root:            "rootfs",
		Mounts:          []spec.Mount{{Type: "proc", Source: "proc"}, {Type: "bind", Source: "/etc/batten", Options: []string{"rbind", "ro"}}},
		Namespaces:      []spec.Namespace{{Type: "mount"}, {Type: "pid", Path: "/proc/1/ns/pid"}},
		Hooks: []spec.Hook{
			{Kind: "poststop", Path: "/bin/b"}, {Kind: "prestart", Path: "/bin/a", Args: []string{"a", "x"}}, {Kind: "prestart", Path: "/bin/c"},
		},
		Seccomp: []byte(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 18446744073709551615, "op": "SCMP_CMP_EQ"}]}]}`),
	}
	if !reflect.DeepEqual(s.View, want) {
		t.Errorf("got  %+v\nwant %+v", s.View, want)
	}
}

func TestParseSeccompAbsent(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{name: "no linux", text: `{}`},
		{name: "linux null", text: `{"linux": null}`},
		{name: "linux empty", text: `{"linux": {}}`},
		{name: "seccomp null", text: `{"linux": {"seccomp": null}}`},
		{name: "elsewhere", text: `{"process": {"seccomp": {}}, "windows": {"seccomp": {}}}`},
		{
			name: "a key that reads as a path",
			text: `{"linux.seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}}`,
		},
		{
			name: "a key that reads as a path, below linux",
			text: `{"linux": {"seccomp.syscalls[]": {}}}`,
		},
		{name: "an escaped backslash", text: `{"linux\\u0000": {"seccomp": {}}}`},
		{name: "a NUL in another value", text: `{"process": {"args": ["a\u0000"]}}`},
		{name: "an empty key", text: `{"": {"linux": {"seccomp": {}}}}`},
		{name: "an empty key below linux", text: `{"linux": {"": {"seccomp": {}}}}`},
	} {
		s, err := spec.Parse([]byte(tt.text))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if s.Seccomp != nil {
			t.Errorf("%s: Seccomp is %s, want none", tt.name, s.Seccomp)
		}
	}
}

// parseErrors are files that are no config.json, and the errors.
var parseErrors = []struct{ name, text, want string }{
	{
		name: "empty",
		want: `1:1: not valid JSON: unexpected end of JSON input; let the engine write it again`,
	},
	{
		name: "not JSON", text: "{\n  \"linux\": }",
		want: `2:12: not valid JSON: invalid character '}' looking for beginning of value; let the engine write it again`,
	},
	{
		name: "two values", text: `{} {}`,
		want: `1:4: not valid JSON: invalid character '{' after top-level value; let the engine write it again`,
	},
	{
		name: "byte order mark", text: "\ufeff{}",
		want: `1:1: not valid JSON: invalid character 'ï' looking for beginning of value; let the engine write it again`,
	},
	{
		name: "a list", text: `[{"linux": {}}]`,
		want: `1:1: the spec is not a JSON object; let the engine write it again`,
	},
	{
		name: "duplicate linux", text: "{\"linux\": {},\n \"linux\": {}}",
		want: `2:2: key "linux" occurs twice in the spec; runtimes may take either: remove one`,
	},
	{
		name: "duplicate by escape", text: `{"linux": {"seccomp": {}, "se\u0063comp": null}}`,
		want: `1:27: key "seccomp" occurs twice in linux; runtimes may take either: remove one`,
	},
	{
		name: "duplicate elsewhere", text: `{"annotations": {"a": "1", "a": "2"}}`,
		want: `1:28: key "a" occurs twice in annotations; runtimes may take either: remove one`,
	},
	{
		name: "Linux", text: `{"Linux": {}}`,
		want: `1:2: key "Linux" in the spec differs from "linux" only in case; runtimes may take either: write "linux"`,
	},
	{
		name: "SECCOMP", text: `{"linux": {"SECCOMP": {}}}`,
		want: `1:12: key "SECCOMP" in linux differs from "seccomp" only in case; runtimes may take either: write "seccomp"`,
	},
	{
		name: "long s", text: `{"linux": {"ſeccomp": {}}}`,
		want: `1:12: key "ſeccomp" in linux differs from "seccomp" only in case; runtimes may take either: write "seccomp"`,
	},
	{
		name: "Process", text: `{"Process": {}}`,
		want: `1:2: key "Process" in the spec differs from "process" only in case; runtimes may take either: write "process"`,
	},
	{
		name: "Bounding", text: `{"process": {"capabilities": {"Bounding": []}}}`,
		want: `1:31: key "Bounding" in process.capabilities differs from "bounding" only in case; runtimes may take either: write "bounding"`,
	},
	{
		name: "DefaultAction", text: `{"linux": {"seccomp": {"DefaultAction": "x"}}}`,
		want: `1:24: key "DefaultAction" in linux.seccomp differs from "defaultAction" only in case; runtimes may take either: write "defaultAction"`,
	},
	{
		name: "Action of a rule",
		text: `{"linux": {"seccomp": {"syscalls": [{"Action": "x"}]}}}`,
		want: `1:38: key "Action" in linux.seccomp.syscalls[] differs from "action" only in case; runtimes may take either: write "action"`,
	},
	{
		name: "a key that ends early in C",
		text: `{"linux\u0000": {"seccomp": {}}, "linux": {}}`,
		want: `1:2: a key, "linux\u0000", holds a NUL, where some runtimes end it; remove it`,
	},
	{
		name: "an annotation that ends early in C", text: `{"annotations": {"a\u0000b": "c"}}`,
		want: `1:18: a key, "a\u0000b", holds a NUL, where some runtimes end it; remove it`,
	},
	{
		name: "a syscall that ends early in C",
		text: `{"linux": {"seccomp": {"syscalls": [{"names": ["bpf\u0000x"]}]}}}`,
		want: `1:48: a string, "bpf\u0000x", holds a NUL, where some runtimes end it; remove it`,
	},
	{
		name: "linux a string", text: `{"linux": "x"}`,
		want: `1:11: linux: not an object; see runtime-spec's config.md`,
	},
	{
		name: "seccomp a list", text: `{"linux": {"seccomp": []}}`,
		want: `1:23: linux.seccomp: not an object; see runtime-spec's config.md`,
	},
	{
		name: "annotations of numbers", text: `{"annotations": {"a": 1}}`,
		want: `1:17: annotations: json: cannot unmarshal number into Go value of type string; see runtime-spec's config.md`,
	},
	{
		name: "too deep",
		text: `{"a": ` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}`,
		want: `1:207: a` + strings.Repeat("[]", 200) + `: nested more than 200 deep; no runtime-spec field is`,
	},
}

func TestParseErrors(t *testing.T) {
	for _, tt := range parseErrors {
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
	}{{text: text, ok: true}, {text: append(text, ' ')}} {
		if err := os.WriteFile(path, tt.text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := spec.Load(dir); (err == nil) != tt.ok {
			t.Errorf("a file of %d bytes: %v", len(tt.text), err)
		}
	}
}
