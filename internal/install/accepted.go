package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// checkContainerd has the daemon say what it makes of the new configuration.
func checkContainerd(o Options, config string) error {
	cris, err := dump(o.Binary, config)
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

// dump is what a daemon's program makes of a configuration, as to CRI.
func dump(binary, config string) (out []criPlugin, err error) {
	args := []string{"--config", config, "config", "dump"}
	if _, err := os.Stat(config); errors.Is(err, fs.ErrNotExist) {
		args = []string{"config", "default"}
	}
	text, err := exec.Command(binary, args...).Output()
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
