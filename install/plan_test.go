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
			after:   podmanComment + "\n[engine]\nruntime = \"batten\"\n[engine.runtimes]\nbatten = [\"/usr/local/bin/batten-runc\"]\n",
			changed: podmanComment + "\n[engine]\nruntime = \"batten\"\ncgroup_manager = \"cgroupfs\"\n[engine.runtimes]\nbatten = [\"/usr/local/bin/batten-runc\"]\n",
			undone:  "[engine]\ncgroup_manager = \"cgroupfs\"\n[engine.runtimes]\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("PATH", "/nonexistent") // no dockerd: the old way
			o := options
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
