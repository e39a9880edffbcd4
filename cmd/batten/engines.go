package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/daemonset"
	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/spf13/cobra"
)

// targets are the engines that can be installed to, in the order of the flags.
var targets = []struct {
	name, config string
	plan         func(install.Options) (*install.Plan, error)
}{
	{"containerd", install.DefaultContainerd, install.Containerd},
	{"docker", install.DefaultDocker, install.Docker},
	{"podman", install.DefaultPodman, install.Podman},
	{"crio", install.DefaultCRIO, install.CRIO},
}

// engines are the flags that install and uninstall have in common.
type engines struct {
	chosen map[string]*bool // by the target's name
	dir    string
	dry    bool
	root   string

	// again is set where the engines are to be restarted.
	again bool
}

func newEngines(cmd *cobra.Command, verb string) *engines {
	e := &engines{chosen: map[string]*bool{}}
	f := cmd.Flags()
	for _, t := range targets {
		e.chosen[t.name] = f.Bool(t.name, false, fmt.Sprintf("%s %s, %s", verb, t.name, t.config))
	}
	f.BoolVar(&e.dry, "dry-run", false, "print what would change as a unified diff, and change nothing")
	f.BoolVar(&e.again, "restart", false, "restart the engines afterwards through systemd; containers of dockerd stop unless it has live-restore")
	f.StringVar(&e.dir, "dir", install.DefaultDir, "`directory` in which Batten keeps what was there before")
	f.StringVar(&e.root, "root", "", "for a container: `directory` where the host's root is mounted; all other paths, and containerd, are then the host's")
	completeFiles(cmd, nil, "dir", "root")
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	return e
}

func (e *engines) count() (n int) {
	for _, on := range e.chosen {
		if *on {
			n++
		}
	}
	return n
}

var errNoTarget = usageError{errors.New("name --containerd, --docker, --podman or --crio")}

// enter makes the host's root the root directory, unless it is that already.
func (e *engines) enter() error {
	if e.root == "" {
		return nil
	}
	if err := daemonset.Enter(e.root); err != nil {
		return hinted{err, "--root takes root, and a directory"}
	}
	return nil
}

// carryOut applies plans, or shows what they would do.
func (e *engines) carryOut(w io.Writer, plans []*install.Plan, done string) error {
	for _, p := range plans {
		if e.dry && !p.Unchanged() {
			fmt.Fprintf(w, "%s", p.Diff())
			continue
		}
		if e.dry {
			fmt.Fprintf(w, "%s: nothing to change: %s\n", p.Target, p.File)
			continue
		}
		if err := p.Apply(e.dir); err != nil {
			return hinted{err, strings.TrimSuffix(done, "ed") + " of " + p.Target + " did not take place"}
		}
		if p.Unchanged() {
			fmt.Fprintf(w, "%s: nothing to change: %s\n", p.Target, p.File)
			continue
		}
		fmt.Fprintf(w, "%s: %s: %s\n", p.Target, done, p.File)
		for _, note := range p.Notes {
			fmt.Fprintf(w, "note: %s\n", note)
		}
	}
	if e.again && !e.dry {
		return e.restart(w, plans)
	}
	return nil
}

// unitOf returns the service that a target's plan names.
func unitOf(plans []*install.Plan, target string) string {
	for _, p := range plans {
		if p.Target == target {
			return p.Unit
		}
	}
	return ""
}

// restart restarts the chosen engines that have a daemon.
func (e *engines) restart(w io.Writer, plans []*install.Plan) error {
	running := status.Units()
	var units []string
	for _, engine := range []string{"containerd", "docker", "crio"} {
		if *e.chosen[engine] {
			units = append(units, cmp.Or(unitOf(plans, engine), running[engine], engine))
		}
	}
	paths := slices.ContainsFunc(plans, func(p *install.Plan) bool { return strings.HasPrefix(p.Target, "docker-runtimes-") })
	if paths && running["containerd"] != "" && !*e.chosen["containerd"] { // whose PATH --all-runtimes changes
		units = append([]string{running["containerd"]}, units...)
	}
	if len(units) == 0 {
		return nil // Podman has no daemon
	}
	if err := install.Restart(units, true); err != nil {
		return hinted{err, "restart them as they are started on this machine, then batten status says whether they have read their configuration"}
	}
	fmt.Fprintf(w, "restarted: %s\n", strings.Join(units, ", "))
	return nil
}
