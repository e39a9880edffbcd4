package install

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write0(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, path string) string {
	t.Helper()
	data, err := read(path)
	if err != nil {
		t.Fatal(err)
	}
	if data == nil {
		return "no file"
	}
	return string(data)
}

// A round is install, install again, uninstall, on a file that nobody changes
// meanwhile, and one with a change between.
func TestRound(t *testing.T) {
	const daemon = "{\n    \"log-level\": \"warn\",\n    \"runtimes\": {\"nvidia\": {\"path\": \"nvidia-container-runtime\", \"runtimeArgs\": []}},\n    \"default-runtime\": \"nvidia\"\n}\n"
	for _, tt := range []struct {
		name            string
		plan            func(Options) (*Plan, error)
		before          string // "no file" for none
		after           string
		changed, undone string // what another makes of after, and what is left of that
	}{
		{
			name: "docker", plan: Docker, before: "no file",
			after:   "{\n  \"runtimes\": {\n    \"batten\": {\n      \"path\": \"/usr/local/bin/batten-runc\"\n    }\n  },\n  \"default-runtime\": \"batten\"\n}\n",
			changed: `{"runtimes": {"batten": {"path": "/usr/local/bin/batten-runc"}}, "default-runtime": "batten", "debug": true}`, undone: "{\n  \"debug\": true\n}\n",
		},
		{
			name: "docker", plan: Docker, before: daemon,
			after:   "{\n    \"log-level\": \"warn\",\n    \"runtimes\": {\n        \"nvidia\": {\n            \"path\": \"nvidia-container-runtime\",\n            \"runtimeArgs\": []\n        },\n        \"batten\": {\n            \"path\": \"/usr/local/bin/batten-runc\"\n        }\n    },\n    \"default-runtime\": \"batten\"\n}\n",
			changed: `{"runtimes": {"nvidia": {}, "batten": {"path": "/usr/local/bin/batten-runc"}}, "default-runtime": "batten"}`, undone: "{\n  \"runtimes\": {\n    \"nvidia\": {}\n  },\n  \"default-runtime\": \"nvidia\"\n}\n",
		},
		{
			name: "podman", plan: Podman, before: "no file",
			after:   podmanComment + "\n[engine]\nruntime = \"batten-runc\"\n[engine.runtimes]\nbatten-runc = [\"/usr/local/bin/batten-runc\"]\n",
			changed: podmanComment + "\n[engine]\nruntime = \"batten-runc\"\ncgroup_manager = \"cgroupfs\"\n[engine.runtimes]\nbatten-runc = [\"/usr/local/bin/batten-runc\"]\n",
			undone:  "[engine]\ncgroup_manager = \"cgroupfs\"\n[engine.runtimes]\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PATH", "/nonexistent") // no dockerd: the old way
			o := options
			o.Handler = "" // each engine's usual one
			o.Dir, o.Config = filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "engine/config")
			if tt.before != "no file" {
				write0(t, o.Config, tt.before)
			}
			for range 2 {
				p, err := tt.plan(o)
				if err != nil {
					t.Fatal(err)
				}
				if err := p.Apply(o.Dir); err != nil {
					t.Fatal(err)
				}
				if got := text(t, o.Config); got != tt.after {
					t.Fatalf("installed:\n%s\nwant\n%s", got, tt.after)
				}
			}
			if again, err := tt.plan(o); err != nil || !again.Unchanged() || len(again.Diff()) != 0 {
				t.Errorf("a third time would change something: %v %s", err, again.Diff())
			}
			undo(t, o, tt.name)
			if got := text(t, o.Config); got != tt.before {
				t.Errorf("undone:\n%s\nwant\n%s", got, tt.before)
			}
			if _, err := Undo(o.Dir, tt.name); !errors.Is(err, ErrNotInstalled) {
				t.Errorf("undone twice: %v", err)
			}

			p, err := tt.plan(o)
			if err == nil {
				err = p.Apply(o.Dir)
			}
			if err != nil {
				t.Fatal(err)
			}
			write0(t, o.Config, tt.changed)
			undo(t, o, tt.name)
			if got := text(t, o.Config); got != tt.undone {
				t.Errorf("undone after a change:\n%s\nwant\n%s", got, tt.undone)
			}
		})
	}
}

func undo(t *testing.T, o Options, target string) {
	t.Helper()
	p, err := Undo(o.Dir, target)
	if err == nil {
		err = p.Apply(o.Dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	if left := text(t, statePath(o.Dir, target)); left != "no file" {
		t.Errorf("left behind: %s", left)
	}
}

// What the engine does not accept is put back, mode and all.
func TestPutBack(t *testing.T) {
	o := options
	o.Dir, o.Config = t.TempDir(), filepath.Join(t.TempDir(), "daemon.json")
	write0(t, o.Config, "{}")
	p, err := Docker(o)
	if err != nil {
		t.Fatal(err)
	}
	p.check = func() error { return errors.New("it does not like it") }
	want := o.Config + " is put back as it was: it does not like it"
	if err := p.Apply(o.Dir); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	info, err := os.Stat(o.Config)
	if err != nil || info.Mode() != 0o640 || text(t, o.Config) != "{}" {
		t.Errorf("it is not as it was: %v %s %v", info.Mode(), text(t, o.Config), err)
	}
	if left := text(t, statePath(o.Dir, "docker")); left != "no file" {
		t.Errorf("remembered: %s", left)
	}
}

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

// In containerd 1.x the last file with the CRI plugin's table has all of it, in
// 2.x the last word on what it says.
func TestImports(t *testing.T) {
	dir := t.TempDir()
	const cri = `[plugins."io.containerd.grpc.v1.cri".containerd`
	main := filepath.Join(dir, "config.toml")
	write0(t, main, "version = 2\nimports = ['conf.d/*.toml']\n"+cri+"]\ndefault_runtime_name = 'crun'\n"+cri+".runtimes.crun]\nruntime_type = 'io.containerd.runc.v2'\n")
	write0(t, filepath.Join(dir, "conf.d/20.toml"), "version = 2\n[debug]\nlevel = 'info'\n")
	write0(t, filepath.Join(dir, "conf.d/10.toml"), "version = 2\n"+cri+".runtimes.runc]\nruntime_type = 'io.containerd.runc.v2'\n")
	for _, tt := range []struct {
		daemon  version
		wrapped string
	}{{version{1, 7}, "runc"}, {version{2, 1}, "crun"}} {
		files, err := readImports(main, tt.daemon)
		if err != nil || len(files) != 3 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		cri, file, err := files.cri(tt.daemon)
		if err != nil || filepath.Base(file.path) != "10.toml" {
			t.Errorf("%v: %s is to be edited (%v), want 10.toml", tt.daemon, file.path, err)
		}
		if name, _, err := cri.wrapped(options); name != tt.wrapped || err != nil {
			t.Errorf("%v: %q is wrapped (%v), want %q", tt.daemon, name, err, tt.wrapped)
		}
	}
}

// Installing again changes nothing that nobody asks to change; taking the default away
// must be said.
func TestInstallAgain(t *testing.T) {
	for _, tt := range []struct {
		name, config string
		plan         func(Options) (*Plan, error)
		isDefault    string // a line that makes Batten the default
	}{
		{name: "docker", plan: Docker, config: "daemon.json", isDefault: `"default-runtime": "own"`},
		{name: "podman", plan: Podman, config: "own.conf", isDefault: `runtime = "own"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PATH", "/nonexistent")
			dir := t.TempDir()
			at := Options{Bin: "/usr/local/bin", Dir: filepath.Join(dir, "state"), Config: filepath.Join(dir, tt.config)}
			install := func(change func(*Options)) *Plan {
				t.Helper()
				o := at
				change(&o)
				p, err := tt.plan(o)
				if err == nil {
					err = p.Apply(o.Dir)
				}
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			isDefault := func(want bool) {
				t.Helper()
				if got := strings.Contains(text(t, at.Config), tt.isDefault); got != want {
					t.Errorf("Batten is the default: %v, want %v:\n%s", got, want, text(t, at.Config))
				}
			}
			install(func(o *Options) { o.Handler, o.Default = "own", true })
			isDefault(true)
			if p := install(func(*Options) {}); !p.Unchanged() {
				t.Errorf("a second time changed it:\n%s", p.Diff())
			}
			isDefault(true)
			install(func(o *Options) { o.NoDefault = true })
			isDefault(false)
			if p := install(func(*Options) {}); !p.Unchanged() {
				t.Errorf("a fourth time changed it:\n%s", p.Diff())
			}
			if !strings.Contains(text(t, at.Config), "own") {
				t.Errorf("its name is lost:\n%s", text(t, at.Config))
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

// A link that leads nowhere is not written through, and stays: nothing is remembered that
// Undo would take it away for.
func TestApplyDanglingLink(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config.toml")
	if err := os.Symlink("nowhere.toml", file); err != nil {
		t.Fatal(err)
	}
	p := &Plan{Target: "containerd", File: file, After: []byte("version = 3\n"), state: &state{}}
	want := file + " is a symbolic link to nowhere.toml, which does not exist; make that file, or remove the link"
	if err := p.Apply(filepath.Join(dir, "state")); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := Undo(filepath.Join(dir, "state"), "containerd"); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("Undo: %v, want %v", err, ErrNotInstalled)
	}
	if _, err := os.Lstat(file); err != nil {
		t.Error(err)
	}
}
