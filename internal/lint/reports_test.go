package lint

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile/reader"
)

// TestReports: manifests that people have, and what is true of them and of the profiles
// that they name.
func TestReports(t *testing.T) {
	dir := "testdata/reports"
	node := Node{SeccompRoot: filepath.Join(dir, "root"), SeccompRequired: true, Handlers: []string{"runc"}}
	env, _, err := node.Look()
	if err != nil {
		t.Fatal(err)
	}
	env.PodSecurity = "privileged"
	for _, tt := range []struct {
		file   string
		engine reader.Engine
		want   string
	}{
		{file: "spo-then-pod.yaml", want: "5:3 native-only\n7:5 siblings-open\n13:70 privileged\n"},
		{file: "localhost-garbage-pod.yaml", want: "5:73 localhost-broken containerd does not read it\n"},
		{
			file: "docker-style-pod.yaml",
			want: "6:57 localhost-profile drops archMap\n6:57 localhost-profile drops excludes\n6:57 localhost-profile drops includes\n6:57 localhost-profile drops name\n6:57 localhost-profile leaves unlinkat open\n",
		},
		{
			file: "docker-style-pod.yaml", engine: reader.Docker,
			want: "6:57 localhost-profile leaves unlinkat open\n6:57 localhost-profile leaves fchmod, fchmodat, fchmodat2 open\n",
		},
	} {
		data, err := os.ReadFile(filepath.Join(dir, tt.file))
		if err != nil {
			t.Fatal(err)
		}
		r, err := Linter{Environment: env, Engine: tt.engine}.Files([]File{{Name: tt.file, Data: data}})
		if err != nil {
			t.Fatal(err)
		}
		want := strings.SplitAfter(strings.TrimSuffix(tt.want, "\n"), "\n")
		if len(r.Findings) != len(want) {
			t.Errorf("%s, %s: %d findings, want %d: %v", tt.file, tt.engine, len(r.Findings), len(want), r.Plain())
			continue
		}
		for i, f := range r.Findings {
			place, says, _ := strings.Cut(strings.TrimSpace(want[i]), " ")
			id, says, _ := strings.Cut(says, " ")
			if fmt.Sprintf("%d:%d", f.Line, f.Column) != place || ID(f.Finding) != id || !strings.Contains(f.Message, says) {
				t.Errorf("%s, %s: got %s [%s]\nwant %s", tt.file, tt.engine, f, ID(f.Finding), want[i])
			}
		}
	}
}
