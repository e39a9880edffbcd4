package install

import (
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/pelletier/go-toml/v2"
)

// Handler is a way in which an engine can start containers.
type Handler struct {
	Engine  string `json:"engine"`
	Name    string `json:"name"`
	Default bool   `json:"default"`
	// Batten is set where it names Batten's shim or batten-runc; By says what starts
	// its containers.
	Batten bool   `json:"batten"`
	By     string `json:"by"`
	// Missing says which of Batten's files is not there, although the handler names it:
	// it starts nothing, or something else.
	Missing string `json:"missing,omitempty"`
	// Pending is set where the daemon that runs has not read this yet: until it is
	// restarted, containers start otherwise.
	Pending bool `json:"pending,omitempty"`
	// Policy is the file that its options name as policy; empty for the node's.
	Policy string `json:"policy,omitempty"`
}

// policyOptions are those of a handler's options that say which policy holds.
type policyOptions struct{ Policy, ConfigPath string }

// policy returns the policy that the shim takes, which reads its options as they are or
// in a file.
func (o policyOptions) policy() (string, error) {
	if o.ConfigPath == "" {
		return o.Policy, nil
	}
	o.Policy = ""
	text, err := read(o.ConfigPath)
	if err == nil {
		err = toml.Unmarshal(text, &o)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", o.ConfigPath, err)
	}
	return o.Policy, nil
}

// want takes a handler for Batten's if the file that it names is there. A name without
// a directory is looked for as engines do: on PATH and beside the daemon.
func (h *Handler) want(file, daemon string) {
	found := executable(file)
	if !strings.Contains(file, "/") {
		_, err := exec.LookPath(file)
		found = err == nil
		if path, err := exec.LookPath(daemon); err == nil && !found {
			found = executable(filepath.Join(filepath.Dir(path), file))
		}
	}
	if h.Batten = true; !found {
		h.Missing = file + " is missing"
	}
}

// Configs are the engines' configurations that Handlers reads.
type Configs struct {
	Containerd, Docker string
	// Podman are files and patterns of files, later ones overriding earlier ones.
	Podman []string
}

// DefaultConfigs are where the engines' configurations usually are.
var DefaultConfigs = Configs{
	Containerd: DefaultContainerd, Docker: DefaultDocker,
	Podman: []string{"/usr/share/containers/containers.conf", "/etc/containers/containers.conf", "/etc/containers/containers.conf.d/*.conf"},
}

// Handlers are those of the engines that are here: whose daemon or command is on
// PATH. They are what the configurations say, which a daemon may not have read yet.
func Handlers(c Configs) (out []Handler, err error) {
	for _, engine := range []struct {
		command string
		read    func(Configs) ([]Handler, error)
	}{{"containerd", containerdHandlers}, {"dockerd", dockerHandlers}, {"podman", podmanHandlers}} {
		if _, err := exec.LookPath(engine.command); err != nil {
			continue
		}
		more, err := engine.read(c)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func containerdHandlers(c Configs) (out []Handler, err error) {
	cris, err := dump(c.Containerd)
	if err != nil {
		return nil, err
	}
	for _, cri := range cris {
		more, err := cri.handlers(func() (version, error) { return versionOf("containerd") })
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// named returns what a table has by a key, in any case, as decoders take it.
func named(table any, key string) any {
	t, _ := table.(map[string]any)
	for k, v := range t {
		if strings.EqualFold(k, key) {
			return v
		}
	}
	return nil
}

// runtimes returns the handlers by name, and the name of the default one. containerd 1.x
// makes handlers of two deprecated tables, which config dump leaves where they are
// (ValidatePluginConfig in its pkg/cri/config).
func (c criPlugin) runtimes() (all map[string]map[string]any, def string) {
	all, def = maps.Clone(c.Containerd.Runtimes), c.Containerd.DefaultRuntimeName
	if all == nil {
		all = make(map[string]map[string]any)
	}
	if t, _ := c.Containerd.UntrustedRuntime["runtime_type"].(string); t != "" {
		all["untrusted"] = c.Containerd.UntrustedRuntime
	}
	if t, _ := c.Containerd.DefaultRuntime["runtime_type"].(string); t != "" {
		all["default"], def = c.Containerd.DefaultRuntime, "default"
	}
	return all, def
}

// dockerHandlers are the runtimes of daemon.json, and the one that is always there.
func dockerHandlers(c Configs) (out []Handler, err error) {
	text, err := read(c.Docker)
	if err != nil {
		return nil, err
	}
	var config struct {
		Default  string `json:"default-runtime"`
		Runtimes map[string]struct {
			Path string `json:"path"`
			Type string `json:"runtimeType"`

			Options policyOptions `json:"options"`
		} `json:"runtimes"`
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &config); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Docker, err)
		}
	}
	if config.Default == "" {
		config.Default = "runc"
	}
	if _, ok := config.Runtimes["runc"]; !ok {
		out = append(out, Handler{Engine: "docker", Name: "runc", Default: config.Default == "runc", By: runcType})
	}
	if _, ok := config.Runtimes[config.Default]; !ok && config.Default != "runc" {
		// dockerd takes a shim's name as well.
		h := Handler{Engine: "docker", Name: config.Default, Default: true, By: config.Default}
		if config.Default == names.RuntimeType {
			h.want(names.Shim, "dockerd")
		}
		out = append(out, h)
	}
	for _, name := range slices.Sorted(maps.Keys(config.Runtimes)) {
		r := config.Runtimes[name]
		h := Handler{Engine: "docker", Name: name, Default: name == config.Default, By: r.Type + r.Path}
		switch {
		case r.Type == names.RuntimeType:
			h.want(names.Shim, "dockerd")
		case filepath.Base(r.Type) == names.Shim:
			h.want(r.Type, "dockerd")
		case filepath.Base(r.Path) == names.Wrapper:
			h.want(r.Path, "dockerd")
		}
		if r.Type != "" {
			if h.Policy, err = r.Options.policy(); err != nil {
				return nil, err
			}
		}
		out = append(out, h)
	}
	return out, nil
}

func podmanHandlers(c Configs) (out []Handler, err error) {
	var config struct {
		Engine struct {
			Runtime  string              `toml:"runtime"`
			Runtimes map[string][]string `toml:"runtimes"`
		} `toml:"engine"`
	}
	config.Engine.Runtimes = map[string][]string{}
	for _, pattern := range c.Podman {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			text, err := read(file)
			if err == nil {
				err = toml.Unmarshal(text, &config)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	def := config.Engine.Runtime
	if def == "" {
		def = "crun"
	}
	if _, ok := config.Engine.Runtimes[def]; !ok {
		h := Handler{Engine: "podman", Name: def, Default: true, By: "by its name on the engine's path"}
		if filepath.Base(def) == names.Wrapper {
			h.want(def, "podman")
		}
		out = append(out, h)
	}
	for _, name := range slices.Sorted(maps.Keys(config.Engine.Runtimes)) {
		paths := config.Engine.Runtimes[name]
		h := Handler{Engine: "podman", Name: name, Default: name == def}
		// Podman takes the first that is there.
		for _, path := range paths {
			h.By = path
			if filepath.Base(path) == names.Wrapper {
				h.want(path, "podman")
			}
			if executable(path) {
				h.Batten = filepath.Base(path) == names.Wrapper
				break
			}
		}
		out = append(out, h)
	}
	return out, nil
}
