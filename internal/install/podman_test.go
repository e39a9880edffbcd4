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

// An installation under Podman's former name is renamed by install and undone by
// uninstall; nobody can choose the name of a program.
func TestPodmanName(t *testing.T) {
	bin := t.TempDir()
	for _, name := range []string{"crun", "batten-runc"} {
		write0(t, filepath.Join(bin, name), "#!/bin/sh\n")
		if err := os.Chmod(filepath.Join(bin, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	before := podmanComment + "\n[engine]\nruntime = \"batten\"\n[engine.runtimes]\nbatten = [\"/usr/local/bin/batten-runc\"]\n"
	for _, undone := range []bool{false, true} {
		o := Options{Bin: "/usr/local/bin", Dir: t.TempDir(), Config: filepath.Join(t.TempDir(), "batten.conf")}
		write0(t, o.Config, before)
		write0(t, statePath(o.Dir, "podman"), `{"file": "`+o.Config+`", "existed": false, "before": null, "after": "`+digest([]byte(before))+`", "handler": "batten", "default": true}`)
		want := strings.ReplaceAll(before, "\"batten\"", "\"batten-runc\"")
		want = strings.ReplaceAll(want, "\nbatten = ", "\nbatten-runc = ")
		if undone {
			undo(t, o, "podman")
			want = "no file"
		} else {
			p, err := Podman(o)
			if err == nil {
				err = p.Apply(o.Dir)
			}
			note := "the runtime is now called batten-runc; containers made with the runtime batten do not start again: make them anew"
			if err != nil || p.Notes[0] != note {
				t.Errorf("%v: %q\nwant %s", err, p.Notes, note)
			}
		}
		if got := text(t, o.Config); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	for name, want := range map[string]string{
		"batten":      `a runtime "batten" would have Podman run the command batten if batten-runc were missing; name it batten-runc with --handler`,
		"crun":        `a runtime "crun" would have Podman run ` + bin + `/crun if batten-runc were missing; name it batten-runc with --handler`,
		"batten-runc": "",
		"elsewhere":   "",
	} {
		o := Options{Handler: name, Bin: "/usr/local/bin", Dir: t.TempDir(), Config: filepath.Join(t.TempDir(), "batten.conf")}
		if _, err := Podman(o); want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: got  %v\nwant %s", name, err, want)
		}
	}
}
