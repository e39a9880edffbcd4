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
