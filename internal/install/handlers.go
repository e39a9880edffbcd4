package install

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"strings"

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
	// NoPods is set where CRI-O calls batten-runc by the name for other engines: then no rule
	// for pods matches.
	NoPods bool `json:"noPods,omitempty"`
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
	// Containerd is empty for that of the node's distribution.
	Containerd, Docker string
	// Podman are files and patterns of files, later ones overriding earlier ones.
	Podman []string
	// CRIO are its main file and the directory of its drop-ins; empty for none.
	CRIO CRIOConfigs
}

// CRIOConfigs are where CRI-O's configuration is.
type CRIOConfigs struct{ Main, DropIns string }

// DefaultConfigs are where the engines' configurations usually are.
var DefaultConfigs = Configs{
	Docker: DefaultDocker,
	Podman: []string{"/usr/share/containers/containers.conf", "/etc/containers/containers.conf", "/etc/containers/containers.conf.d/*.conf"},
	CRIO:   CRIOConfigs{Main: "/etc/crio/crio.conf", DropIns: filepath.Dir(DefaultCRIO)},
}

// Handlers are those of the engines that are here: whose daemon or command is on
// PATH, or containerd's program where the distribution has it. They are what the
// configurations say, which a daemon may not have read yet.
func Handlers(c Configs) (out []Handler, err error) {
	containerd := ContainerdProgram(c.Containerd)
	for _, engine := range []struct {
		command string
		read    func(Configs) ([]Handler, error)
	}{{containerd, func(c Configs) ([]Handler, error) { return containerdHandlers(c, containerd) }}, {"dockerd", dockerHandlers}, {"podman", podmanHandlers}, {"crio", crioHandlers}} {
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

func containerdHandlers(c Configs, program string) (out []Handler, err error) {
	cris, err := dump(program, ContainerdConfig(c.Containerd))
	if err != nil {
		return nil, err
	}
	for _, cri := range cris {
		more, err := cri.handlers(func() (version, error) { return versionOf(program) })
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
