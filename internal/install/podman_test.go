package install

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// batten-runc keeps the runtime that Podman used, unless somebody has decided, or another
// engine would change with it.
func TestKeepRuntime(t *testing.T) {
	for _, tt := range []struct {
		name, uses, settings, other string
		plan                        bool
		note                        string
	}{
		{name: "another", uses: "/usr/bin/crun", plan: true},
		{name: "the same", uses: "/usr/bin/runc"},
		{name: "unknown"},
		{
			name: "decided", uses: "/usr/bin/crun", settings: "Runtime = \"/usr/bin/runc\"\n",
			note: `Podman used /usr/bin/crun until now, and batten-runc hands over to /usr/bin/runc: to keep it, write Runtime = "/usr/bin/crun" into FILE`,
		},
		{
			name: "with Docker", uses: "/usr/bin/crun", other: "docker",
			note: `Podman used /usr/bin/crun until now, and batten-runc hands over to /usr/bin/runc: to keep it, write Runtime = "/usr/bin/crun" into FILE; other engines that use batten-runc follow`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{Dir: t.TempDir(), Runtime: "/usr/bin/runc"}
			file := filepath.Join(t.TempDir(), "etc", "runc.toml")
			if tt.settings != "" {
				if err := write(file, []byte(tt.settings)); err != nil {
					t.Fatal(err)
				}
			}
			if tt.other != "" {
				if err := write(statePath(o.Dir, tt.other), []byte(`{"file": "x"}`)); err != nil {
					t.Fatal(err)
				}
			}
			p, note, err := KeepRuntime(o, file, tt.uses)
			if err != nil || (p != nil) != tt.plan || note != strings.ReplaceAll(tt.note, "FILE", file) {
				t.Fatalf("plan %v, note %q, %v\nwant %v, %q", p != nil, note, err, tt.plan, tt.note)
			}
			if p == nil {
				return
			}
			if err := p.Apply(o.Dir); err != nil {
				t.Fatal(err)
			}
			if text, _ := read(file); string(text) != podmanComment+"\n# It is what Podman used before.\nRuntime = \"/usr/bin/crun\"\n" {
				t.Errorf("it wrote\n%s", text)
			}
			plans, err := UndoAll(o.Dir, "podman")
			if err != nil || len(plans) != 1 {
				t.Fatalf("%v, %v", plans, err)
			}
			if err := plans[0].Apply(o.Dir); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Lstat(filepath.Dir(file)); err == nil {
				t.Error("the directory that was made for it is left behind")
			}
		})
	}
}
