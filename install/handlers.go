package install

import (
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/pelletier/go-toml/v2"
)

// Handler is a way in which an engine can start containers.
type Handler struct {
	Engine  string `json:"engine"`
	Name    string `json:"name"`
	Default bool   `json:"default"`
	// Batten is set where the containers come to Batten; By says what starts them.
	Batten bool   `json:"batten"`
	By     string `json:"by"`
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
		for _, name := range slices.Sorted(maps.Keys(cri.Containerd.Runtimes)) {
			table := cri.Containerd.Runtimes[name]
			options, _ := table["options"].(map[string]any)
			by, _ := table["runtime_type"].(string)
			for _, more := range []any{table["runtime_path"], options["BinaryName"]} {
				if s, _ := more.(string); s != "" {
					by += ", " + s
				}
			}
			out = append(out, Handler{"containerd", name, name == cri.Containerd.DefaultRuntimeName, runsBatten(table), by})
		}
	}
	return out, nil
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
		out = append(out, Handler{"docker", "runc", config.Default == "runc", false, runcType})
	}
	for _, name := range slices.Sorted(maps.Keys(config.Runtimes)) {
		r := config.Runtimes[name]
		batten := r.Type == "io.containerd.batten.v2" || filepath.Base(r.Type) == shimName || filepath.Base(r.Path) == wrapperName
		out = append(out, Handler{"docker", name, name == config.Default, batten, r.Type + r.Path})
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
		out = append(out, Handler{"podman", def, true, filepath.Base(def) == wrapperName, "by its name on the engine's path"})
	}
	for _, name := range slices.Sorted(maps.Keys(config.Engine.Runtimes)) {
		paths := config.Engine.Runtimes[name]
		h := Handler{Engine: "podman", Name: name, Default: name == def}
		for _, path := range paths {
			h.Batten = filepath.Base(path) == wrapperName
			h.By = path
			if h.Batten {
				break
			}
		}
		out = append(out, h)
	}
	return out, nil
}
