package install

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
)

// DefaultPodman is a drop-in of the configuration that Podman and Buildah share
// (containers.conf(5)).
const DefaultPodman = "/etc/containers/containers.conf.d/batten.conf"

const podmanComment = "# Written by batten install; batten uninstall removes it."

// Podman plans a runtime of Podman and Buildah, in a file of its own.
func Podman(o Options) (*Plan, error) {
	if err := o.complete("podman", names.Wrapper, DefaultPodman); err != nil {
		return nil, err
	}
	if err := checkPodmanName(o.Handler); err != nil {
		return nil, err
	}
	p := &Plan{Target: "podman", File: o.Config, state: &state{Handler: o.Handler, Default: o.Default}}
	var err error
	if p.Before, p.now, err = base(o.Dir, p.Target, o.Config, "", takeOutDropIn); err != nil {
		return nil, err
	}
	if o.NoRuntime != nil {
		return nil, fmt.Errorf("batten-runc would refuse: %w", o.NoRuntime)
	}
	if p.Before != nil {
		return nil, fmt.Errorf("%s is there already and not Batten's; remove it, or name another with --config", o.Config)
	}
	text := podmanComment + "\n[engine]\n"
	if o.Default {
		text += fmt.Sprintf("runtime = %q\n", o.Handler)
	}
	text += fmt.Sprintf("[engine.runtimes]\n%s = [%q]\n", header([]string{o.Handler}), filepath.Join(o.Bin, names.Wrapper))
	p.After = []byte(text)
	if last, _ := load(o.Dir, p.Target); last != nil && last.Handler != o.Handler {
		p.Notes = append(p.Notes, fmt.Sprintf("the runtime is now called %s; containers made with the runtime %s do not start again: make them anew", o.Handler, last.Handler))
	}
	p.Notes = append(p.Notes, "existing containers keep the runtime that they were made with",
		"batten-runc hands over to the runtime that /etc/batten/runc.toml names, or the first of runc and crun",
		"who may run Podman may also name another --runtime; rootless containers are their user's own")
	return p, nil
}

// podmanRuntime is the target of the file in which batten-runc is told Podman's runtime.
const podmanRuntime = "podman-runtime"

// PodmanUses returns the runtime that Podman starts containers by, an absolute path; empty
// where that is batten-runc, or Podman does not say.
func PodmanUses() string {
	out, err := exec.Command("podman", "info", "--format", "{{.Host.OCIRuntime.Path}}").Output()
	path := strings.TrimSpace(string(out))
	if err != nil || !executable(path) || filepath.Base(resolve("/", path)) == names.Wrapper {
		return ""
	}
	return path
}

// KeepRuntime plans that batten-runc hands over to the runtime that Podman uses: it writes
// settings, batten-runc's file, where there is none. A file that is there is somebody's
// decision, and another engine's batten-runc would change its runtime, too. In these cases
// there is no plan, but a note if the runtimes differ.
func KeepRuntime(o Options, settings, uses string) (p *Plan, note string, err error) {
	if uses == "" || uses == o.Runtime {
		return nil, "", nil
	}
	note = fmt.Sprintf("Podman used %s until now, and batten-runc hands over to %s: to keep it, write Runtime = %q into %s", uses, o.Runtime, uses, settings)
	if text, err := read(settings); err != nil || text != nil {
		return nil, note, err
	}
	for _, other := range []string{"containerd", "docker"} {
		if last, err := load(o.Dir, other); err != nil || last != nil {
			return nil, note + "; other engines that use batten-runc follow", err
		}
	}
	text := fmt.Sprintf("%s\n# It is what Podman used before.\nRuntime = %q\n", podmanComment, uses)
	p = &Plan{Target: podmanRuntime, File: settings, After: []byte(text), state: &state{}}
	p.Notes = append(p.Notes, "batten-runc hands over to "+uses+", which Podman used before")
	return p, "", nil
}

// takeOutSettings leaves a file that somebody changed as it is.
func takeOutSettings(_ *state, text []byte) ([]byte, error) { return text, nil }

// checkPodmanName refuses a runtime's name that is the name of a program. Where Podman
// finds none of a runtime's paths it looks for the name on PATH, and would run that
// program in place of batten-runc.
func checkPodmanName(name string) error {
	path, err := exec.LookPath(name)
	if name != shortName && (err != nil || filepath.Base(path) == names.Wrapper) {
		return nil
	}
	if err != nil {
		path = "the command batten"
	}
	return fmt.Errorf("a runtime %q would have Podman run %s if batten-runc were missing; name it %s with --handler", name, path, names.Wrapper)
}

// unquoted is a word of TOML without space and quotes around it.
func unquoted(word string) string { return strings.Trim(strings.TrimSpace(word), `"'`) }

// takeOutDropIn takes Batten's lines out of a file that somebody changed, and
// removes it if nothing but headers is left.
func takeOutDropIn(s *state, text []byte) ([]byte, error) {
	var kept []string
	rest := false
	for _, line := range strings.SplitAfter(string(text), "\n") {
		trimmed := strings.TrimSpace(line)
		key, value, _ := strings.Cut(trimmed, "=")
		key, value = unquoted(key), unquoted(value)
		if trimmed == podmanComment || key == "runtime" && value == s.Handler || key == s.Handler && value != "" {
			continue
		}
		kept = append(kept, line)
		rest = rest || trimmed != "" && trimmed[0] != '['
	}
	if !rest {
		return nil, nil
	}
	return []byte(strings.Join(kept, "")), nil
}
