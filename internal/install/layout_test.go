package install

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestMain is containerd for these tests, where it is called so: what it is asked is which
// version it has, and what it makes of a configuration.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "containerd" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // else each containerd takes a second to end under -race
		os.Exit(m.Run())
	}
	daemon := os.Getenv("CONTAINERD_VERSION")
	if os.Args[1] == "--version" {
		fmt.Println("containerd github.com/containerd/containerd v" + daemon)
		return
	}
	v, _ := parseVersion(daemon)
	if err := fakeDump(os.Args[2], v); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fakeDump prints the CRI plugin's part of a configuration and what it imports.
func fakeDump(config string, daemon version) error {
	files, err := readImports(config, daemon)
	if err != nil {
		return err
	}
	all := map[string]any{}
	for _, f := range files {
		text, err := os.ReadFile(f.path)
		var own struct {
			Plugins map[string]any `toml:"plugins"`
		}
		if err == nil {
			err = toml.Unmarshal(text, &own) // with Batten's part, which readImports leaves out
		}
		if err != nil {
			return err
		}
		if table, ok := own.Plugins[f.plugin()].(map[string]any); ok {
			if daemon.less(2, 0) {
				all = map[string]any{}
			}
			merge(all, table)
		}
	}
	out, err := toml.Marshal(map[string]any{"plugins": map[string]any{pluginNew: all}})
	fmt.Printf("%s", out)
	return err
}

// layout is how a distribution lays its files out, below a root.
type layout struct {
	root    string
	options Options
	says    map[string]string // the lines on top: what is expected
}

// files returns every file below the layout's root, by name, and every directory.
func (l layout) files(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(l.root, func(path string, d fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, l.root)
		if err != nil || d.IsDir() {
			out[name+"/"] = ""
			return err
		}
		data, err := os.ReadFile(path)
		out[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// lay lays a distribution of testdata/layouts out.
func lay(t *testing.T, path string) layout {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l := layout{root: t.TempDir(), says: map[string]string{}}
	for line := range strings.Lines(string(archive.Comment)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			l.says[key] = strings.ReplaceAll(value, "@ROOT@", l.root)
		}
	}
	for _, f := range archive.Files {
		write0(t, filepath.Join(l.root, f.Name), strings.ReplaceAll(string(f.Data), "@ROOT@", l.root))
	}
	if err := os.MkdirAll(filepath.Join(l.root, "etc/batten"), 0o755); err != nil { // the policy's
		t.Fatal(err)
	}
	self, err := os.Executable()
	daemon := filepath.Join(t.TempDir(), "containerd")
	if err == nil {
		err = os.Symlink(self, daemon)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CONTAINERD_VERSION", l.says["containerd"])
	l.options = Options{
		Handler: "batten", Default: l.says["default"] != "no", Bin: "/usr/local/bin", Binary: daemon,
		Dir: filepath.Join(l.root, "etc/batten/install"), root: l.root,
	}
	if bin := l.says["bin"]; bin != "" {
		l.options.Bin = bin
	}
	return l
}

// layouts are those of testdata/layouts.
func layouts(t *testing.T, f func(*testing.T, layout)) {
	t.Helper()
	paths, err := filepath.Glob("testdata/layouts/*.txtar")
	if err != nil || len(paths) < 17 {
		t.Fatalf("%d layouts, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { f(t, lay(t, path)) })
	}
}

// On the layout of each distribution Batten goes where that distribution lets it, no file
// that something writes again is touched, and uninstalling gives every file back.
func TestLayouts(t *testing.T) {
	layouts(t, func(t *testing.T, l layout) {
		if d, _ := Detect(l.root); d.Name != l.says["distribution"] {
			t.Errorf("it is taken for %s, not %s", d.Name, l.says["distribution"])
		}
		before := l.files(t)
		p, err := Containerd(l.options)
		if want := l.says["refuses"]; want != "" {
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Fatalf("got  %v\nwant %s", err, want)
			}
			_, lines, _ := strings.Cut(strings.ReplaceAll(err.Error(), l.root, ""), "\n")
			golden(t, filepath.Join("layouts", filepath.Base(t.Name())), []byte(lines))
			return
		}
		if err == nil {
			err = p.Apply(l.options.Dir)
		}
		if err != nil {
			t.Fatal(err)
		}
		if want := filepath.Join(l.root, l.says["writes"]); p.File != want || p.Unit != l.says["restarts"] {
			t.Errorf("it is written to %s, and %s restarted; want %s, %s", p.File, p.Unit, want, l.says["restarts"])
		}
		changes := strings.ReplaceAll(string(diff.Diff("before", p.Before, "after", p.After)), l.root, "")
		golden(t, filepath.Join("layouts", filepath.Base(t.Name())), []byte(changes))
		for name, text := range l.files(t) {
			if was, ok := before[name]; ok && was != text && name != l.says["writes"] {
				t.Errorf("%s was changed, too:\n%s", name, text)
			}
		}
		if again, err := Containerd(l.options); err != nil || !again.Unchanged() {
			t.Errorf("installing again: %v\n%s", err, again.Diff())
		}
		undo(t, l.options, "containerd")
		sameFiles(t, before, l.files(t))
	})
}

func sameFiles(t *testing.T, before, after map[string]string) {
	t.Helper()
	for name := range after {
		if _, ok := before[name]; !ok {
			t.Errorf("left behind: %s", name)
		}
	}
	for name, text := range before {
		if got, ok := after[name]; !ok || got != text {
			t.Errorf("%s is not as it was:\n%s", name, diff.Diff("before", []byte(text), "after", []byte(got)))
		}
	}
}

// stopped is the error of a write that did not take place.
