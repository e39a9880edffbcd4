package install

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/names"
)

var errStopped = errors.New("stopped here")

// An installation, or an uninstallation, that is stopped before any of its writes leaves a
// configuration that containerd accepts, and doing it again ends as if nothing had been.
func TestLayoutsStopped(t *testing.T) {
	layouts(t, func(t *testing.T, l layout) {
		if l.says["refuses"] != "" {
			t.Skip("nothing is written")
		}
		before := l.files(t)
		plans := map[string]func() (*Plan, error){
			"install":   func() (*Plan, error) { return Containerd(l.options) },
			"uninstall": func() (*Plan, error) { return Undo(l.options.Dir, "containerd") },
		}
		for _, name := range []string{"install", "uninstall"} {
			stops := stopEach(t, plans[name], l)
			if stops < 2 {
				t.Errorf("%s was stopped %d times only", name, stops)
			}
		}
		sameFiles(t, before, l.files(t))
	})
}

// stopEach carries a plan out and stops it before its first write, then before its second,
// and so on until it is done. It returns how often it was stopped.
func stopEach(t *testing.T, plan func() (*Plan, error), l layout) (stops int) {
	t.Helper()
	t.Cleanup(func() { beforeWrite = nil })
	for stops = 0; ; stops++ {
		p, err := plan()
		if errors.Is(err, ErrNotInstalled) {
			return stops // the last write was the end of it
		}
		if err != nil {
			t.Fatalf("after %d stops: %v", stops, err)
		}
		writes := 0
		beforeWrite = func(string) error {
			if writes++; writes > stops {
				return errStopped
			}
			return nil
		}
		err = p.Apply(l.options.Dir)
		beforeWrite = nil
		d, _ := Detect(l.root)
		if _, dumped := dump(l.options.Binary, d.config(l.root)); dumped != nil {
			t.Fatalf("stopped before write %d, containerd refuses its configuration: %v", stops+1, dumped)
		}
		wantUnfinished(t, l.options.Dir, "containerd")
		if err == nil {
			return stops
		}
		if !errors.Is(err, errStopped) {
			t.Fatal(err)
		}
	}
}

// wantUnfinished checks what is said of an installation of a target, by whether its file
// names Batten.
func wantUnfinished(t *testing.T, dir, target string) {
	t.Helper()
	s, err := load(dir, target)
	if err != nil {
		t.Fatal(err)
	}
	var want string
	if s != nil {
		if text, _ := read(s.File); !bytes.Contains(text, []byte("batten")) {
			want = s.File + " has nothing of Batten in it, although batten install began to write it: it was interrupted, " +
				"or somebody has written the file since; run batten install --" + target + " again, or batten uninstall --" + target
		}
	}
	said, err := Unfinished(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(said, "\n"); got != want {
		t.Errorf("unfinished: %q\nwant %q", got, want)
	}
}

// TestUnfinished: each engine's installation that ends between the note of what is installed
// and the engine's own file is told, and nothing else is.
func TestUnfinished(t *testing.T) {
	for target, tt := range map[string]struct {
		plan   func(Options) (*Plan, error)
		before string
	}{
		"docker": {plan: Docker, before: `{"debug": true}`},
		"podman": {plan: Podman},
	} {
		t.Run(target, func(t *testing.T) {
			o := options
			o.Handler = names.Wrapper
			o.Dir, o.Config = filepath.Join(t.TempDir(), "state"), filepath.Join(t.TempDir(), "config")
			if tt.before != "" {
				write0(t, o.Config, tt.before)
			}
			for _, stops := range []int{0, 1, 2} {
				p, err := tt.plan(o)
				if err != nil {
					t.Fatal(err)
				}
				writes := 0
				beforeWrite = func(string) error {
					if writes++; writes > stops {
						return errStopped
					}
					return nil
				}
				err = p.Apply(o.Dir)
				beforeWrite = nil
				if (err == nil) != (stops == 2) {
					t.Fatalf("stopped before write %d: %v", stops+1, err)
				}
				wantUnfinished(t, o.Dir, target)
			}
			// Somebody's tool writes the file as it always does.
			if err := write(o.Config, []byte(tt.before)); err != nil {
				t.Fatal(err)
			}
			wantUnfinished(t, o.Dir, target)
		})
	}
}

// TestNamed: a configuration without marks has Batten in it if it names the handler, not if
// a path does.
func TestNamed(t *testing.T) {
	s := &state{Handler: "batten"}
	for text, want := range map[string]bool{
		"[plugins.\"cri\".containerd.runtimes.batten]\n":           true,
		"[plugins.'cri'.containerd.runtimes.'batten'.options]\n":   true,
		"[plugins.\"cri\".containerd.runtimes.\"batten\"]\n":       true,
		"default_runtime_name = \"batten\"\n":                      true,
		"default_runtime_name = 'batten'\n":                        true,
		"runtime_path = \"/opt/batten/bin/runc\"\n":                false,
		"# made for batten\n[plugins.'cri'.containerd.runtimes.x]": false,
		"[plugins.'cri'.containerd.runtimes.battenberg]\n":         false,
	} {
		if got := s.named([]byte(text)); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// TestEdited: somebody edits the file that Batten's part is in. Either all of the part is taken
// out, or uninstalling says that it cannot, and forgets nothing.
func TestEdited(t *testing.T) {
	own := "version = 2\n[plugins.'cri'.containerd]\n  default_runtime_name = \"runc\"\n"
	part := "\n" + beginMark + "\n[plugins.'cri'.containerd.runtimes.batten]\n  runtime_type = 'x'\n" + endMark + "\n"
	with := strings.Replace(own, `"runc"`, `"batten"`+lineMark+`"runc"`, 1) + part
	s := &state{Handler: "batten", Existed: true}
	for name, row := range map[string]struct{ text, want string }{
		"as it was":                {text: with, want: own},
		"with other line ends":     {text: strings.ReplaceAll(with, "\n", "\r\n"), want: strings.ReplaceAll(own, "\n", "\r\n")},
		"a line added":             {text: "# mine\n" + with, want: "# mine\n" + own},
		"the end is gone":          {text: strings.Replace(with, endMark+"\n", "", 1)},
		"the beginning is gone":    {text: strings.Replace(with, beginMark+"\n", "", 1)},
		"the former value is gone": {text: strings.Replace(with, lineMark+`"runc"`, "", 1)},
		"the part twice":           {text: with + part, want: own},
	} {
		got, err := takeOutTOML(s, []byte(row.text))
		if row.want == "" && (err == nil || !strings.HasPrefix(err.Error(), "the marks around Batten's part are gone, or not whole; ")) {
			t.Errorf("%s: %v, and\n%s", name, err, got)
		}
		if row.want != "" && (err != nil || string(got) != row.want) {
			t.Errorf("%s: %v, and\n%q\nwant\n%q", name, err, got, row.want)
		}
	}
	for _, text := range []string{
		podmanComment + "\n[engine]\nruntime = \"batten-runc\"\n[engine.runtimes]\nbatten-runc = [\"/usr/bin/batten-runc\"]\n",
		"[engine]\r\nruntime='batten-runc'\r\n[engine.runtimes]\r\n\"batten-runc\"=['/usr/bin/batten-runc']\r\n",
	} {
		if got, err := takeOutDropIn(&state{Handler: "batten-runc"}, []byte(text)); err != nil || got != nil {
			t.Errorf("Podman's: %v\n%q", err, got)
		}
	}
}
