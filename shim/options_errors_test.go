package shim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"google.golang.org/protobuf/types/known/anypb"
)

type optionsError struct {
	name string
	sent *anypb.Any
	want string
}

// optionsErrors are options that are refused, and the errors.
func optionsErrors(t *testing.T) []optionsError {
	t.Helper()
	body := func(text string) *anypb.Any {
		out, err := anypb.New(&runtimeoptions.Options{ConfigBody: []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	file, err := anypb.New(&runtimeoptions.Options{ConfigPath: "/nonexistent/options.toml"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "options.toml")
	if err := os.WriteFile(path, []byte(all), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	others, err := anypb.New(&runtimeoptions.Options{ConfigPath: path})
	if err != nil {
		t.Fatal(err)
	}
	return []optionsError{
		{
			name: "unknown option", sent: body("Polic = \"/x\"\n[nested]\na = 1"),
			want: "runtime options: options table: unknown option Polic, nested",
		},
		{
			name: "wrong type", sent: body(`SystemdCgroup = "true"`),
			want: "runtime options: options table: 1:17: option SystemdCgroup: toml: cannot decode TOML string into struct field shim.optionsTable.SystemdCgroup of type bool",
		},
		{
			name: "out of range", sent: body("\nIoUid = -1"),
			want: "runtime options: options table: 2:9: option IoUid: toml: negative integer value -1 cannot be stored in uint32",
		},
		{
			name: "not TOML", sent: body("x"),
			want: "runtime options: options table: 1:1: toml: expected '=' after key",
		},
		{
			name: "relative policy", sent: body(`Policy = "strict.yaml"`),
			want: `runtime options: options table: Policy "strict.yaml" is not an absolute path`,
		},
		{
			name: "missing file", sent: file,
			want: `runtime options: options file "/nonexistent/options.toml": no such file or directory`,
		},
		{
			name: "another's file", sent: others,
			want: strings.ReplaceAll(`runtime options: options file "FILE": has mode 0666; others than root can change it: chmod go-w FILE`, "FILE", path),
		},
		{
			name: "one option twice", sent: body("Policy = \"/a\"\npolicy = \"/b\"\n"),
			want: "runtime options: options table: options Policy and policy are one; remove one",
		},
		{
			name: "another message",
			sent: &anypb.Any{TypeUrl: "types.googleapis.com/runsc.Options", Value: []byte{1}},
			want: `runtime options of type "runsc.Options" are unknown; configure the handler with an options table`,
		},
	}
}

func TestParseOptionsErrors(t *testing.T) {
	for _, tt := range optionsErrors(t) {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseOptions(tt.sent)
			if err == nil {
				t.Fatalf("no error: %+v", got)
			}
			if err.Error() != tt.want {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
		})
	}
}
