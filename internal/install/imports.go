package install

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/pelletier/go-toml/v2"
)

// The CRI plugin's table in configurations of version 2, and of 3 and later.
const (
	pluginOld = "io.containerd.grpc.v1.cri"
	pluginNew = "io.containerd.cri.v1.runtime"
)

// tomlFile is one file of containerd's configuration.
type tomlFile struct {
	path    string
	version int
	disable []string
	imports []string
	cri     map[string]any // its CRI plugin's table, nil without
}

func (f tomlFile) plugin() string {
	if f.version < 3 {
		return pluginOld
	}
	return pluginNew
}

// tomlFiles are in the order in which containerd reads them.
type tomlFiles []tomlFile

// readImports reads a configuration and what it imports, as containerd does:
// breadth first, globs sorted, paths relative to the file that names them. The default
// configuration of containerd 2.2 imports /etc/containerd/conf.d/*.toml; a file that does
// not say so does not.
func readImports(path string, daemon version) (tomlFiles, error) {
	var out tomlFiles
	pending, seen := []string{path}, map[string]bool{}
	for len(pending) > 0 {
		path, pending = pending[0], pending[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		f, err := readTOML(path, len(out) == 0, daemon)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
		for _, pattern := range f.absolute() {
			more, err := filepath.Glob(pattern)
			if err != nil {
				return nil, fmt.Errorf("%s: imports %q: %w", f.path, pattern, err)
			}
			pending = append(pending, more...)
		}
	}
	return out, nil
}

// absolute returns the patterns of what a file imports.
func (f tomlFile) absolute() (patterns []string) {
	for _, pattern := range f.imports {
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(filepath.Dir(f.path), pattern)
		}
		patterns = append(patterns, pattern)
	}
	return patterns
}

// readTOML reads one file, without what is Batten's in it.
func readTOML(path string, main bool, daemon version) (tomlFile, error) {
	f := tomlFile{path: path}
	data, err := read(path)
	if err != nil {
		return f, err
	}
	var text struct {
		Version *int           `toml:"version"`
		Imports []string       `toml:"imports"`
		Disable []string       `toml:"disabled_plugins"`
		Plugins map[string]any `toml:"plugins"`
	}
	data = withoutOwn(data)
	if err := toml.Unmarshal(data, &text); err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	f.imports, f.disable = text.Imports, text.Disable
	switch {
	case text.Version != nil:
		f.version = *text.Version
	case main && len(bytes.TrimSpace(data)) > 0 || len(text.Plugins) > 0:
		return f, fmt.Errorf("%s says no version, which means 1; containerd config migrate makes a newer one of it", path)
	case daemon.less(2, 0):
		f.version = 2
	default:
		f.version = 3
	}
	if f.version < 2 || f.version > 4 {
		return f, fmt.Errorf("%s is of version %d; Batten knows 2, 3 and 4", path, f.version)
	}
	f.cri, _ = text.Plugins[f.plugin()].(map[string]any)
	return f, nil
}

// cri is what containerd will take for its CRI plugin's configuration, and the
// last file that has a say in it. In containerd 1.x a file's table takes the
// place of the whole table of those before it; 2.x merges them.
func (fs tomlFiles) cri(daemon version) (criPlugin, tomlFile, error) {
	last := fs[0]
	all := map[string]any{}
	for _, f := range fs {
		if slices.Contains(f.disable, "cri") || slices.Contains(f.disable, f.plugin()) {
			return criPlugin{}, f, fmt.Errorf("%s disables the CRI plugin, so that there is nothing to configure; for Docker's containers use --docker", f.path)
		}
		if f.cri == nil {
			continue
		}
		last = f
		if daemon.less(2, 0) {
			all = map[string]any{}
		}
		merge(all, f.cri)
	}
	out, err := decodeCRI(all)
	if err != nil {
		return out, last, fmt.Errorf("%s: the CRI plugin's table containerd: %w", last.path, err)
	}
	return out, last, nil
}

// merge puts what is in from into to, table by table.
func merge(to, from map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(from)) {
		a, okA := to[key].(map[string]any)
		b, okB := from[key].(map[string]any)
		switch {
		case okA && okB:
			merge(a, b)
		case okB:
			fresh := map[string]any{}
			merge(fresh, b)
			to[key] = fresh
		default:
			to[key] = from[key]
		}
	}
}
