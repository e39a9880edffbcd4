package install

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/pelletier/go-toml/v2"
)

// DefaultContainerd is containerd's configuration.
const DefaultContainerd = "/etc/containerd/config.toml"

// Containerd plans a handler of containerd's CRI plugin: a copy of the one that
// it wraps, whose shim is Batten's.
func Containerd(o Options) (*Plan, error) {
	if err := o.complete("containerd", shortName, DefaultContainerd); err != nil {
		return nil, err
	}
	daemon, err := versionOf("containerd")
	if err != nil {
		return nil, fmt.Errorf("containerd is needed to say what it makes of its configuration: %w; put it on PATH", err)
	}
	files, err := readImports(o.Config, daemon)
	if err != nil {
		return nil, err
	}
	cri, file, err := files.cri(daemon)
	if err != nil {
		return nil, err
	}
	p := &Plan{Target: "containerd", File: file.path, state: &state{Handler: o.Handler, Default: o.Default, Wrap: o.Wrap}}
	if p.Before, p.now, err = base(o.Dir, p.Target, file.path, "", takeOutTOML); err != nil {
		return nil, err
	}
	h, err := cri.handler(o, daemon)
	if err == nil {
		p.After, err = insert(p.Before, file.plugin(), h, o)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file.path, err)
	}
	p.check = func() error { return checkContainerd(o) }
	p.Notes = append(p.Notes, "restart containerd for it to take effect; running containers stay as they are",
		"only what comes through CRI is bound: ctr, nerdctl and Docker name their own runtime")
	return p, nil
}

// criPlugin is CRI's part of a configuration.
type criPlugin struct {
	Containerd struct {
		DefaultRuntimeName string                    `toml:"default_runtime_name"`
		DefaultRuntime     map[string]any            `toml:"default_runtime"`
		UntrustedRuntime   map[string]any            `toml:"untrusted_workload_runtime"`
		Runtimes           map[string]map[string]any `toml:"runtimes"`
	} `toml:"containerd"`
}

// handler is a handler to be put in.
type handler struct {
	wraps string
	table map[string]any
	// implicit is set where containerd would forget its own handler runc as soon
	// as the configuration has another.
	implicit bool
}

// handler is a copy of the handler that is wrapped, with Batten in it.
func (c criPlugin) handler(o Options, daemon version) (handler, error) {
	name, table, err := c.wrapped(o)
	if err != nil {
		return handler{}, err
	}
	h := handler{wraps: name, table: maps.Clone(table), implicit: daemon.less(2, 0) && len(c.Containerd.Runtimes) == 0}
	h.table["runtime_type"] = runcType
	if !daemon.less(1, 7) {
		h.table["runtime_path"] = filepath.Join(o.Bin, names.Shim)
		return h, nil
	}
	// CRI in containerd 1.6 has no ear for runtime_path.
	if o.NoRuntime != nil {
		return h, fmt.Errorf("batten-runc would refuse: %w", o.NoRuntime)
	}
	options, _ := table["options"].(map[string]any)
	options = maps.Clone(options)
	if options == nil {
		options = map[string]any{}
	}
	if binary, _ := options["BinaryName"].(string); binary != "" && binary != "runc" && binary != o.Runtime {
		return h, fmt.Errorf("handler %q runs %s, and containerd 1.6 can come to Batten by batten-runc only, which would run another: write Runtime = %q into /etc/batten/runc.toml first", name, binary, binary)
	}
	options["BinaryName"] = filepath.Join(o.Bin, names.Wrapper)
	h.table["options"] = options
	return h, nil
}

// wrapped is the handler to wrap, by name and as it is written.
func (c criPlugin) wrapped(o Options) (string, map[string]any, error) {
	if t, _ := c.Containerd.DefaultRuntime["runtime_type"].(string); t != "" {
		return "", nil, errors.New(`it has the deprecated table containerd.default_runtime, which overrides default_runtime_name; move it to containerd.runtimes.runc`)
	}
	name := o.Wrap
	if name == "" {
		name = c.Containerd.DefaultRuntimeName
	}
	if name == "" {
		name = "runc" // as containerd comes
	}
	handler, known := c.Containerd.Runtimes[name]
	if !known && name == "runc" {
		handler, known = map[string]any{"runtime_type": runcType}, true
	}
	if !known {
		return "", nil, fmt.Errorf("there is no handler %q to wrap", name)
	}
	if _, taken := c.Containerd.Runtimes[o.Handler]; taken {
		return "", nil, fmt.Errorf("there is a handler %q already; choose another name with --handler", o.Handler)
	}
	// A handler that says nothing of its type is merged with containerd's own.
	switch t, _ := handler["runtime_type"].(string); {
	case t == "" && name == "runc", t == runcType:
	default:
		return "", nil, fmt.Errorf("handler %q has runtime_type %q; Batten wraps %s only", name, t, runcType)
	}
	if path, _ := handler["runtime_path"].(string); path != "" {
		return "", nil, fmt.Errorf("handler %q has a shim of its own, %s; Batten wraps containerd's", name, path)
	}
	return name, handler, nil
}

// runsBatten reports whether a handler comes to Batten, by shim or wrapper.
func runsBatten(handler map[string]any) bool { return battenFile(handler) != "" }

// battenFile returns the file of Batten's by which a handler starts containers; empty
// if they bypass Batten. A runtime_path has precedence over the type.
func battenFile(handler map[string]any) string {
	path, _ := handler["runtime_path"].(string)
	options, _ := handler["options"].(map[string]any)
	binary, _ := options["BinaryName"].(string)
	switch {
	case filepath.Base(path) == names.Shim:
		return path
	case path == "" && handler["runtime_type"] == names.RuntimeType:
		return names.Shim
	case filepath.Base(binary) == names.Wrapper:
		return binary
	}
	return ""
}

const runcType = "io.containerd.runc.v2"

// checkContainerd has the daemon say what it makes of the new configuration.
func checkContainerd(o Options) error {
	cris, err := dump(o.Config)
	if err != nil {
		return err
	}
	for _, cri := range cris {
		if !runsBatten(cri.Containerd.Runtimes[o.Handler]) {
			continue
		}
		if o.Default && cri.Containerd.DefaultRuntimeName != o.Handler {
			return fmt.Errorf("containerd makes %q the default all the same", cri.Containerd.DefaultRuntimeName)
		}
		return nil
	}
	return fmt.Errorf("containerd does not see the handler %q", o.Handler)
}

// dump is what the daemon makes of a configuration, as to CRI.
func dump(config string) (out []criPlugin, err error) {
	args := []string{"--config", config, "config", "dump"}
	if _, err := os.Stat(config); errors.Is(err, fs.ErrNotExist) {
		args = []string{"config", "default"}
	}
	text, err := exec.Command("containerd", args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
		}
		return nil, fmt.Errorf("containerd config dump: %w", err)
	}
	var all struct {
		Plugins map[string]any `toml:"plugins"`
	}
	if err := toml.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("containerd config dump: %w", err)
	}
	for _, id := range []string{pluginOld, pluginNew} {
		table, _ := all.Plugins[id].(map[string]any)
		if table == nil {
			continue
		}
		cri, err := decodeCRI(table)
		if err != nil {
			return nil, fmt.Errorf("containerd config dump: %w", err)
		}
		out = append(out, cri)
	}
	return out, nil
}

// decodeCRI picks out of the CRI plugin's table what there is to know.
func decodeCRI(table map[string]any) (out criPlugin, err error) {
	text, err := toml.Marshal(map[string]any{"containerd": table["containerd"]})
	if err == nil {
		err = toml.Unmarshal(text, &out)
	}
	return out, err
}
