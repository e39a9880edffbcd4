package install

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The kinds of files, besides kindLink, that Batten's part of a configuration can be in; empty for one that
// containerd reads and its owner writes.
const (
	kindDropIn   = "drop-in"  // one of Batten's own, which the configuration imports
	kindTemplate = "template" // what the configuration is made of
)

// dropInName sorts behind other drop-ins: the last one decides on the default.
const dropInName = "zz-batten.toml"

// templateBase is how a template of k3s and RKE2 takes over what they would write themselves.
const templateBase = "{{ template \"base\" . }}\n"

// place is where Batten's part of a configuration goes.
type place struct {
	distribution Distribution
	file, kind   string
	plugin       string // the CRI plugin's table there
	main         tomlFile
	writer       string // who writes a file again, which is therefore not edited; empty if nobody does
	written      string // that file
}

// place decides where the part goes: last is what was installed before, file the one of
// files with the last say.
func (d Distribution) place(files tomlFiles, file tomlFile, daemon version, last *state) (place, error) {
	at := place{distribution: d, main: files[0], plugin: files[0].plugin(), written: files[0].path}
	if at.writer = d.writerOf(at.written); at.writer == "" {
		if at.writer, at.written = generatedBy(file.path), file.path; at.writer == "" {
			at.file, at.plugin = file.path, file.plugin()
			return at, nil
		}
	}
	if !exists(at.main.path) {
		return at, fmt.Errorf("%s is not there: %s writes it when it starts; start %s once before", at.main.path, at.writer, at.writer)
	}
	beside := filepath.Dir(at.main.path)
	template := d.templates[at.main.version]
	switch dir := at.main.dropIns(); {
	case last != nil && last.Kind == kindTemplate && template != "" && last.File == filepath.Join(beside, template):
		at.file, at.kind = last.File, kindTemplate // where it is already
	case d.merged != "":
		at.file, at.kind = filepath.Join(beside, d.merged, dropInName), kindDropIn
	case dir != "" && !daemon.less(2, 0): // 1.x would replace the plugin's whole table by the drop-in's
		at.file, at.kind = filepath.Join(dir, dropInName), kindDropIn
	case template != "":
		at.file, at.kind = filepath.Join(beside, template), kindTemplate
	}
	return at, nil
}

// writerOf returns who writes a configuration again; empty if nobody does.
func (d Distribution) writerOf(config string) string {
	switch by := generatedBy(config); {
	case by != "":
		return by
	case strings.HasSuffix(config, flatcarConfig):
		return "Flatcar's image"
	case d.writer != "":
		return d.writer
	case len(d.templates) > 0: // also without its header
		return d.Name
	case d.merged != "" && !exists(config):
		return d.Name
	}
	return ""
}

// dropIns returns the directory whose files a configuration imports, the last of several;
// empty if there is none.
func (f tomlFile) dropIns() string {
	for _, pattern := range slices.Backward(f.absolute()) {
		if filepath.Base(pattern) == "*.toml" {
			return filepath.Dir(pattern)
		}
	}
	return ""
}

// stages reports whether containerd can be asked before anything is changed: not where the
// file is imported by another, or imports others by relative paths.
func (at place) stages() bool {
	return at.kind != "" || at.file == at.main.path && slices.Equal(at.main.imports, at.main.absolute())
}

// insert puts a handler into what the place's file holds.
func (at place) insert(before []byte, h handler, o Options) ([]byte, error) {
	if at.kind != kindTemplate || at.distribution.asTOML {
		return insert(before, at.plugin, h, o)
	}
	made, whole, err := at.made(h, o)
	if err != nil {
		return nil, err
	}
	part, ok := bytes.CutPrefix(whole, made)
	if !ok { // a line in the middle, which only the writer can write
		return nil, fmt.Errorf("%s has a table with the default already: make %q the default by %s, and install without --default", at.main.path, o.Handler, at.distribution.defaults)
	}
	if before == nil {
		before = []byte(templateBase)
	}
	return slices.Concat(before, part), nil
}

// made returns what the writer has made of the template without Batten's part, ended by a
// line feed, and with it.
func (at place) made(h handler, o Options) (made, whole []byte, err error) {
	if made, err = read(at.main.path); err != nil {
		return nil, nil, err
	}
	if made = withoutOwn(made); !bytes.HasSuffix(made, []byte("\n")) {
		made = append(made, '\n')
	}
	whole, err = insert(made, at.plugin, h, o)
	return made, whole, err
}

// staged writes what containerd will read to a file below dir, and returns that file: so
// containerd is asked before anything is changed.
func (at place) staged(dir string, after []byte, h handler, o Options) (string, error) {
	main := filepath.Join(dir, "config.toml")
	switch at.kind {
	case kindDropIn:
		part := filepath.Join(dir, dropInName)
		if err := os.WriteFile(part, after, 0o600); err != nil {
			return "", err
		}
		// containerd reads imports breadth first; the last one is to be Batten's.
		imports := slices.Concat([]string{at.main.path}, at.main.absolute(), []string{part})
		after = fmt.Appendf(nil, "version = %d\nimports = [\"%s\"]\n", at.main.version, strings.Join(imports, `", "`))
	case kindTemplate:
		_, whole, err := at.made(h, o)
		if err != nil {
			return "", err
		}
		after = whole
	}
	return main, os.WriteFile(main, after, 0o600)
}

// elsewhere returns the error for a configuration that Batten cannot write, with the lines
// to write there.
func (at place) elsewhere(h handler, o Options) error {
	lines, err := insert(nil, at.plugin, h, o)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(string(withoutMarks(lines)))
	if at.distribution.nodeConfig {
		text = "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  containerd:\n    config: |\n      " + strings.ReplaceAll(text, "\n", "\n      ")
	}
	where := at.distribution.where
	if at.distribution.Name == Plain {
		where = "what generates it"
	}
	return fmt.Errorf("%s is not to be edited: %s writes it; these lines go to %s:\n%s", at.written, at.writer, where, text)
}

// withoutMarks returns a text without the marks around Batten's part, where no uninstall
// looks for them.
func withoutMarks(text []byte) (out []byte) {
	for line := range bytes.Lines(text) {
		if mark := string(bytes.TrimSpace(line)); mark != beginMark && mark != endMark {
			out = append(out, line...)
		}
	}
	return out
}
