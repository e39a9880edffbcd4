package install

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/pelletier/go-toml/v2"
)

// RunningContainerd returns the handlers that a running containerd has. Config is what its
// CRI plugin answers under "config" (StatusResponse.info), called the version that it calls itself.
func RunningContainerd(config, called string) ([]Handler, error) {
	var running struct {
		Containerd struct {
			DefaultRuntimeName string                    `json:"defaultRuntimeName"`
			Runtimes           map[string]map[string]any `json:"runtimes"`
		} `json:"containerd"`
	}
	if err := json.Unmarshal([]byte(config), &running); err != nil {
		return nil, fmt.Errorf("containerd's status: %w", err)
	}
	if len(running.Containerd.Runtimes) == 0 {
		return nil, fmt.Errorf("containerd's status names no runtimes")
	}
	var cri criPlugin
	cri.Containerd.DefaultRuntimeName = running.Containerd.DefaultRuntimeName
	cri.Containerd.Runtimes = map[string]map[string]any{}
	for name, table := range running.Containerd.Runtimes {
		table = maps.Clone(table)
		table["runtime_type"], table["runtime_path"] = table["runtimeType"], table["runtimePath"]
		cri.Containerd.Runtimes[name] = table
	}
	return cri.handlers(func() (version, error) { return parseVersion(called) })
}

// RunningDocker returns the runtimes that a running dockerd has. Info is what it answers to
// GET /info.
func RunningDocker(info []byte) (out []Handler, err error) {
	var running struct {
		DefaultRuntime string
		Runtimes       map[string]struct {
			Path string `json:"path"`
			Type string `json:"runtimeType"`
		}
	}
	if err := json.Unmarshal(info, &running); err != nil {
		return nil, fmt.Errorf("docker info: %w", err)
	}
	if len(running.Runtimes) == 0 {
		return nil, fmt.Errorf("docker info names no runtimes")
	}
	for _, name := range slices.Sorted(maps.Keys(running.Runtimes)) {
		r := running.Runtimes[name]
		out = append(out, Handler{Engine: "docker", Name: name, Default: name == running.DefaultRuntime, By: r.Type + r.Path})
	}
	if _, ok := running.Runtimes[running.DefaultRuntime]; !ok {
		out = append(out, Handler{Engine: "docker", Name: running.DefaultRuntime, Default: true, By: running.DefaultRuntime})
	}
	return out, nil
}

// Address returns the socket of a containerd that has a configuration; empty where the
// configuration cannot be read, or names none.
func Address(config string) string {
	type grpc struct {
		Address string `toml:"address"`
	}
	var c struct {
		GRPC    grpc `toml:"grpc"`
		Plugins struct {
			GRPC grpc `toml:"io.containerd.server.v1.grpc"` // from 2.3 on
		} `toml:"plugins"`
	}
	text, err := exec.Command(ContainerdProgram(config), "--config", config, "config", "dump").Output()
	if err != nil {
		text, err = read(config)
	}
	if err != nil || toml.Unmarshal(text, &c) != nil {
		return ""
	}
	return strings.TrimPrefix(cmp.Or(c.Plugins.GRPC.Address, c.GRPC.Address), "unix://")
}

// handlers returns the CRI plugin's handlers of a daemon of a version.
func (c criPlugin) handlers(daemon func() (version, error)) (out []Handler, err error) {
	runtimes, def := c.runtimes()
	for _, name := range slices.Sorted(maps.Keys(runtimes)) {
		table, err := heard(runtimes[name], daemon)
		if err != nil {
			return nil, err
		}
		options, _ := table["options"].(map[string]any)
		by, _ := table["runtime_type"].(string)
		for _, more := range []any{table["runtime_path"], options["BinaryName"]} {
			if s, _ := more.(string); s != "" {
				by += ", " + s
			}
		}
		h := Handler{Engine: "containerd", Name: name, Default: name == def, By: by}
		if file := battenFile(table); file != "" {
			h.want(file, "containerd")
		}
		if table["runtime_type"] == names.RuntimeType { // others get runc's options alone
			var o policyOptions
			o.Policy, _ = named(table["options"], "Policy").(string)
			o.ConfigPath, _ = named(table["options"], "ConfigPath").(string)
			if h.Policy, err = o.policy(); err != nil {
				return nil, err
			}
		}
		out = append(out, h)
	}
	return out, nil
}

// heard returns a handler's table without what the daemon ignores: CRI in containerd
// 1.6 reads runtime_path, and starts the shim of the type all the same.
func heard(table map[string]any, daemon func() (version, error)) (map[string]any, error) {
	if path, _ := table["runtime_path"].(string); path == "" {
		return table, nil
	}
	v, err := daemon()
	if err != nil || !v.less(1, 7) {
		return table, err
	}
	table = maps.Clone(table)
	delete(table, "runtime_path")
	return table, nil
}
