package install

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/pelletier/go-toml/v2"
)

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
