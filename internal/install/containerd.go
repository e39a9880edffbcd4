package install

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"github.com/batten-runtime/batten/internal/names"
)

// DefaultContainerd is containerd's configuration.
const DefaultContainerd = "/etc/containerd/config.toml"

// Containerd plans a handler of containerd's CRI plugin: a copy of the one that
// it wraps, whose shim is Batten's.
func Containerd(o Options) (*Plan, error) {
	d, err := o.Recognize(o.root)
	if err != nil {
		return nil, err
	}
	if d.sealed {
		return nil, fmt.Errorf("%s is not to be edited: %s writes it; the way is %s", d.config(o.root), d.writer, d.where)
	}
	if err := o.complete("containerd", shortName, d.config(o.root)); err != nil {
		return nil, err
	}
	if err := d.runs(o.Bin); err != nil {
		return nil, err
	}
	o.Binary = d.binary(o)
	daemon, err := versionOf(o.Binary)
	if err != nil {
		return nil, fmt.Errorf("containerd is needed to say what it makes of its configuration: %w; name its program with --containerd-binary", err)
	}
	files, err := readImports(o.Config, daemon)
	if err != nil {
		return nil, err
	}
	cri, file, err := files.cri(daemon)
	if err != nil {
		return nil, err
	}
	last, err := load(o.Dir, "containerd")
	if err != nil {
		return nil, err
	}
	at, err := d.place(files, file, daemon, last)
	if err != nil {
		return nil, err
	}
	return at.plan(o, cri, daemon)
}

// plan plans the handler for a place.
func (at place) plan(o Options, cri criPlugin, daemon version) (*Plan, error) {
	h, err := cri.handler(o, daemon)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at.main.path, err)
	}
	if at.file == "" {
		return nil, at.elsewhere(h, o)
	}
	unit := at.distribution.Unit(o.root)
	p := &Plan{
		Target: "containerd", File: at.file, Unit: unit,
		state: &state{Handler: o.Handler, Default: o.Default, Wrap: o.Wrap, Kind: at.kind, Unit: unit},
	}
	if p.Before, p.now, err = base(o.Dir, p.Target, at.file, at.kind, takeOutTOML); err != nil {
		return nil, err
	}
	if p.After, err = at.insert(p.Before, h, o); err != nil {
		return nil, fmt.Errorf("%s: %w", at.file, err)
	}
	if at.stages() {
		p.before = func() error { return at.check(p.After, h, o) }
	} else {
		p.check = func() error { return checkContainerd(o, o.Config) }
	}
	p.Notes = append(p.Notes, restartNote(unit)+" for it to take effect; running containers stay as they are",
		"only what comes through CRI is bound: ctr, nerdctl and Docker name their own runtime")
	if at.distribution.note != "" {
		p.Notes = append(p.Notes, at.distribution.note)
	}
	return p, nil
}

// restartNote says how to restart the containerd that a service runs.
func restartNote(unit string) string {
	if unit == "" || unit == "containerd" {
		return "restart containerd"
	}
	return "restart containerd (systemctl restart " + unit + ")"
}

// check has containerd say what it will make of what is to be written, before it is.
func (at place) check(after []byte, h handler, o Options) error {
	dir, err := os.MkdirTemp("", "batten-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	staged, err := at.staged(dir, after, h, o)
	if err != nil {
		return err
	}
	return checkContainerd(o, staged)
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
