package install

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// DefaultPodman is a drop-in of the configuration that Podman and Buildah share
// (containers.conf(5)).
const DefaultPodman = "/etc/containers/containers.conf.d/batten.conf"

const podmanComment = "# Written by batten install; batten uninstall removes it."

// Podman plans a runtime of Podman and Buildah, in a file of its own.
func Podman(o Options) (*Plan, error) {
	if err := o.complete(DefaultPodman); err != nil {
		return nil, err
	}
	p := &Plan{Target: "podman", File: o.Config, state: &state{Handler: o.Handler, Default: o.Default}}
	var err error
	if p.Before, p.now, err = base(o.Dir, p.Target, o.Config, takeOutDropIn); err != nil {
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
	text += fmt.Sprintf("[engine.runtimes]\n%s = [%q]\n", header([]string{o.Handler}), filepath.Join(o.Bin, wrapperName))
	p.After = []byte(text)
	p.Notes = append(p.Notes, "batten-runc hands over to the runtime that /etc/batten/runc.toml names, or the first of runc and crun",
		"who may run Podman may also name another --runtime; rootless containers are their user's own")
	return p, nil
}

// takeOutDropIn takes Batten's lines out of a file that somebody changed, and
// removes it if nothing but headers is left.
func takeOutDropIn(s *state, text []byte) ([]byte, error) {
	own := []string{podmanComment, fmt.Sprintf("runtime = %q", s.Handler)}
	var kept []string
	rest := false
	for _, line := range strings.SplitAfter(string(text), "\n") {
		trimmed := strings.TrimSpace(line)
		if slices.Contains(own, trimmed) || strings.HasPrefix(trimmed, header([]string{s.Handler})+" = ") {
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
