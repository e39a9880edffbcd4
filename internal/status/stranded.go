package status

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/procfs"
)

// MadeUnder returns the names of an engine's containers, running or not, that were made
// under a runtime. Without that runtime the engine does not start them any more.
func MadeUnder(engine, config, runtime string) (names []string, err error) {
	switch engine {
	case "docker":
		names, err = dockerMadeUnder(config, runtime)
	case "podman":
		names, err = podmanMadeUnder(runtime)
	}
	slices.Sort(names)
	return names, err
}

// dockerMadeUnder reads what dockerd keeps of its containers, whether it runs or not.
func dockerMadeUnder(config, runtime string) (names []string, err error) {
	root := install.DockerRoot(config)
	processes, err := procfs.All("/proc")
	if err != nil {
		return nil, err
	}
	for _, p := range processes {
		if p.Name == "dockerd" && sameFile(p, config, procfs.Flag(p.Args(), install.DefaultDocker, "--config-file")) {
			root = procfs.Flag(p.Args(), root, "--data-root", "-g", "--graph")
		}
	}
	files, err := filepath.Glob(filepath.Join(root, "containers", "*", "hostconfig.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		var host struct{ Runtime string }
		var own struct{ Name string }
		if err := readJSON(file, &host); err != nil {
			return nil, err
		}
		if host.Runtime != runtime {
			continue
		}
		_ = readJSON(filepath.Join(filepath.Dir(file), "config.v2.json"), &own)
		if own.Name = strings.TrimPrefix(own.Name, "/"); own.Name == "" {
			own.Name = fmt.Sprintf("%.12s", filepath.Base(filepath.Dir(file)))
		}
		names = append(names, own.Name)
	}
	return names, nil
}

// readJSON reads a file; one that has just gone says nothing.
func readJSON(file string, v any) error {
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if _, ok := err.(*fs.PathError); err != nil && !ok {
		err = fmt.Errorf("%s: %w", file, err)
	}
	return err
}

// podmanMadeUnder asks Podman for root's containers.
func podmanMadeUnder(runtime string) (names []string, err error) {
	if _, err := exec.LookPath("podman"); err != nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ids, err := podman(ctx, "ps", "--all", "--quiet", "--no-trunc")
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	lines, err := podman(ctx, append([]string{"inspect", "--type", "container", "--format", "{{.OCIRuntime}} {{.Name}}"}, ids...)...)
	for _, line := range lines {
		if by, name, _ := strings.Cut(line, " "); by == runtime {
			names = append(names, name)
		}
	}
	return names, err
}

// podman returns the lines that a command of Podman prints.
func podman(ctx context.Context, args ...string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "podman", args...)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("podman %s: %w: %s", args[0], err, strings.TrimSpace(complaint.String()))
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' }), nil
}

// Units returns the systemd services, without .service, of the containerd, dockerd and CRI-O that
// run and read their usual configurations, by engine; an engine that is not here has none.
func Units() map[string]string {
	units := make(map[string]string)
	processes, _ := procfs.All("/proc")
	for _, p := range processes {
		unit := p.Unit()
		switch {
		case unit == "":
		case isContainerd(p) && processes[p.Parent].Name != "dockerd":
			units["containerd"] = unit
		case p.Name == "dockerd":
			units["docker"] = unit
		case p.Name == "crio":
			units["crio"] = unit
		}
	}
	return units
}
