package install

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/names"
)

// crioNode is a machine with CRI-O's configuration in a test's directory.
type crioNode struct {
	t *testing.T
	Options
	etc, settings string
}

// newCRIO makes a machine with these files below /etc/crio. BIN in them is the directory of
// the programs: crun, runc, kata, and batten-runc with its link.
func newCRIO(t *testing.T, files map[string]string) *crioNode {
	t.Helper()
	dir := t.TempDir()
	n := &crioNode{t: t, etc: filepath.Join(dir, "etc"), settings: filepath.Join(dir, "batten", "runc-crio.toml")}
	n.Bin, n.Dir = filepath.Join(dir, "bin"), filepath.Join(dir, "state")
	n.Config = n.path("crio.conf.d/99-batten.conf")
	n.NoRuntime = errors.New("no settings")
	for _, name := range []string{"crun", "runc", "kata", names.Wrapper} {
		n.program(name, "#!/bin/sh\n")
	}
	if err := os.Symlink(names.Wrapper, filepath.Join(n.Bin, names.WrapperCRIO)); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		write0(t, n.path(name), strings.ReplaceAll(text, "BIN", n.Bin))
	}
	t.Setenv("PATH", n.Bin+":/usr/bin:/bin")
	return n
}

func (n *crioNode) path(name string) string { return filepath.Join(n.etc, name) }

func (n *crioNode) program(name, text string) {
	n.t.Helper()
	path := filepath.Join(n.Bin, name)
	write0(n.t, path, text)
	if err := os.Chmod(path, 0o755); err != nil {
		n.t.Fatal(err)
	}
}

// plain puts BIN and ETC in place of the machine's directories.
func (n *crioNode) plain(s string) string {
	return strings.NewReplacer(n.Bin, "BIN", n.etc, "ETC", n.settings, "SETTINGS").Replace(s)
}

// install does what batten install --crio does, and returns the notes.
func (n *crioNode) install() (notes []string, err error) {
	n.t.Helper()
	p, err := CRIO(n.Options)
	if err != nil {
		return nil, err
	}
	told, note, err := CRIORuntime(n.Options, n.settings, p)
	if err != nil {
		return nil, err
	}
	if note != "" {
		notes = append(notes, note)
	}
	if told != nil {
		if err := told.Apply(n.Dir); err != nil {
			return nil, err
		}
	}
	return append(notes, p.Notes...), p.Apply(n.Dir)
}

const (
	// packaged is like 10-crio.conf of CRI-O's packages.
	packaged = `[crio.runtime]
default_runtime = "crun"

[crio.runtime.runtimes.crun]
runtime_path = "BIN/crun"
runtime_root = "/run/crun"
monitor_path = "/usr/libexec/crio/conmon"
allowed_annotations = [
  "io.containers.trace-syscall",
]

[crio.runtime.runtimes.runc]
runtime_path = "BIN/runc"
runtime_root = "/run/runc"
`
	wrapped = `# Written by batten install; batten uninstall removes it.
# batten: begin (batten uninstall takes this part out)
[crio.runtime]
  default_runtime = "batten"
# as crun, with Batten
[crio.runtime.runtimes.batten]
  allowed_annotations = ['io.containers.trace-syscall']
  monitor_path = '/usr/libexec/crio/conmon'
  runtime_path = 'BIN/batten-runc-crio'
  runtime_root = '/run/crun'
# batten: end
`
)

// TestCRIO: the handler is like the one that it wraps, batten-runc is told that handler's
// runtime first, installing again changes nothing, and uninstalling leaves nothing.
func TestCRIO(t *testing.T) {
	n := newCRIO(t, map[string]string{"crio.conf.d/10-crio.conf": packaged})
	n.Default = true
	notes, err := n.install()
	if err != nil {
		t.Fatal(err)
	}
	want := "restart CRI-O for it to take effect; running containers stay as they are\n" +
		"other handlers of CRI-O bypass Batten: a RuntimeClass may name them\n" +
		"there is no crio on PATH: nothing has checked the result"
	if got := strings.Join(notes, "\n"); got != want {
		t.Errorf("notes\n%s\nwant\n%s", got, want)
	}
	if text, _ := read(n.Config); n.plain(string(text)) != wrapped {
		t.Errorf("it wrote\n%s\nwant\n%s", n.plain(string(text)), wrapped)
	}
	settings := "# Written by batten install; batten uninstall removes it.\n# It is what CRI-O used before.\nRuntime = \"BIN/crun\"\n"
	if text, _ := read(n.settings); n.plain(string(text)) != settings {
		t.Errorf("settings\n%s\nwant\n%s", n.plain(string(text)), settings)
	}

	n.Default = false // it stays the default
	p, err := CRIO(n.Options)
	if err != nil || !p.Unchanged() {
		t.Errorf("again: %v, changes\n%s", err, p.Diff())
	}
	n.NoDefault = true
	if p, err := CRIO(n.Options); err != nil || !strings.Contains(string(p.Diff()), "\n-  default_runtime = \"batten\"\n") {
		t.Errorf("--no-default: %v\n%s", err, p.Diff())
	}

	plans, err := UndoAll(n.Dir, "crio")
	if err != nil || len(plans) != 2 || plans[0].File != n.Config {
		t.Fatalf("uninstall: %v, %d plans", err, len(plans))
	}
	for _, p := range plans {
		if err := p.Apply(n.Dir); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{n.Config, n.settings, filepath.Dir(n.settings), n.Dir} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s is left behind", path)
		}
	}
	if text, _ := read(n.path("crio.conf.d/10-crio.conf")); n.plain(string(text)) != packaged {
		t.Errorf("another file was changed:\n%s", text)
	}
}

// What somebody has added to the file stays.
func TestCRIOChanged(t *testing.T) {
	n := newCRIO(t, map[string]string{"crio.conf.d/10-crio.conf": packaged})
	if _, err := n.install(); err != nil {
		t.Fatal(err)
	}
	text, _ := read(n.Config)
	const own = "[crio.image]\npause_image = \"x\"\n"
	write0(t, n.Config, string(text)+own)
	plans, err := UndoAll(n.Dir, "crio")
	if err != nil {
		t.Fatal(err)
	}
	if string(plans[0].After) != own {
		t.Errorf("left\n%s\nwant\n%s", plans[0].After, own)
	}
	write0(t, n.Config, strings.Replace(string(text), endMark, "", 1))
	write0(t, n.Config, strings.ReplaceAll(string(text), beginMark, ""))
	if _, err := UndoAll(n.Dir, "crio"); err == nil || !strings.Contains(err.Error(), "the marks around Batten's part are gone") {
		t.Errorf("without marks: %v", err)
	}
}

// crio reads the result, where it is there; what it does not accept is taken out again.
func TestCRIOChecks(t *testing.T) {
	const refuses = `#!/bin/sh
[ "$1" = --version ] && { echo crio version 1.34.0; exit; }
[ -e "$(dirname "$0")/refuse" ] && grep -q batten-runc-crio "$4"/* && { echo "default_runtime set to nothing" >&2; exit 1; }
[ "$1 $2 $3 $4 $5" = "--config ETC/crio.conf --config-dir ETC/crio.conf.d config" ]
`
	n := newCRIO(t, map[string]string{"crio.conf": packaged})
	n.program("crio", strings.ReplaceAll(refuses, "ETC", n.etc))
	if err := os.MkdirAll(filepath.Dir(n.Config), 0o755); err != nil {
		t.Fatal(err)
	}
	write0(t, filepath.Join(n.Bin, "refuse"), "")
	_, err := n.install()
	want := "ETC/crio.conf.d/99-batten.conf is removed again: crio --config ETC/crio.conf --config-dir ETC/crio.conf.d config: exit status 1: default_runtime set to nothing"
	if err == nil || n.plain(err.Error()) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := os.Lstat(n.Config); err == nil {
		t.Error("the file is there")
	}
	os.Remove(filepath.Join(n.Bin, "refuse"))
	if notes, err := n.install(); err != nil || slices.Contains(notes, "there is no crio on PATH: nothing has checked the result") {
		t.Errorf("accepted: %q, %v", notes, err)
	}
}

// Settings that are there are somebody's decision.
func TestCRIORuntimeKeeps(t *testing.T) {
	n := newCRIO(t, map[string]string{"crio.conf": packaged})
	write0(t, n.settings, "Runtime = \"/usr/bin/youki\"\n")
	n.Runtime, n.NoRuntime = "/usr/bin/youki", nil
	notes, err := n.install()
	want := `CRI-O used BIN/crun until now, and batten-runc hands over to /usr/bin/youki: to keep it, write Runtime = "BIN/crun" into SETTINGS`
	if err != nil || n.plain(notes[0]) != want {
		t.Errorf("%v: got %q, want %s", err, notes, want)
	}
	if text, _ := read(n.settings); string(text) != "Runtime = \"/usr/bin/youki\"\n" {
		t.Errorf("changed to %s", text)
	}
	n.NoRuntime = errors.New("the real runtime: no such file")
	if _, err := n.install(); err == nil || err.Error() != "batten-runc would refuse: the real runtime: no such file" {
		t.Errorf("settings that are broken: %v", err)
	}
}
