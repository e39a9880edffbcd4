package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/batten-runtime/batten/daemonset"
	"github.com/batten-runtime/batten/install"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/shim/ociruntime"
)

// targets are the engines that can be installed to, in the order of the flags.
var targets = []struct {
	name, config string
	plan         func(install.Options) (*install.Plan, error)
}{
	{"containerd", install.DefaultContainerd, install.Containerd},
	{"docker", install.DefaultDocker, install.Docker},
	{"podman", install.DefaultPodman, install.Podman},
}

// chosen are the targets that flags name.
type chosen map[string]*bool

func newChosen(i *invocation, verb string) chosen {
	c := chosen{}
	for _, t := range targets {
		c[t.name] = i.flags.Bool(t.name, false, fmt.Sprintf("%s %s, %s", verb, t.name, t.config))
	}
	return c
}

func (c chosen) count() (n int) {
	for _, on := range c {
		if *on {
			n++
		}
	}
	return n
}

var errNoTarget = usageError{errors.New("name --containerd, --docker or --podman")}

const rootUsage = "`directory` of the host's root, in a container that has it mounted; all paths are the host's then, and so is the containerd that is asked"

// enter makes root the root directory, unless it is empty.
func enter(root string) error {
	if root == "" {
		return nil
	}
	if err := daemonset.Enter(root); err != nil {
		return hinted{err, "--root takes root, and a directory"}
	}
	return nil
}

// installs puts Batten into engines' configurations.
func installs(i *invocation) error {
	var o install.Options
	c := newChosen(i, "into the configuration of")
	i.flags.StringVar(&o.Handler, "handler", "batten", "`name` of the RuntimeClass handler or runtime")
	i.flags.StringVar(&o.Wrap, "wrap", "", "containerd: `name` of the handler to wrap; its default one if not given")
	i.flags.BoolVar(&o.Default, "default", false, "make it the engine's default")
	i.flags.StringVar(&o.Config, "config", "", "the engine's configuration `file`, if it is another; with one engine only")
	i.flags.StringVar(&o.Bin, "bin", "", "`directory` of Batten's other binaries; where batten is, or a usual one, if not given")
	i.flags.StringVar(&o.Dir, "dir", install.DefaultDir, "`directory` where it is remembered what was there before")
	dry := i.flags.Bool("dry-run", false, "print what would change as a unified diff, and change nothing")
	root := i.flags.String("root", "", rootUsage)
	if err := i.parse(0); err != nil {
		return err
	}
	switch n := c.count(); {
	case n == 0:
		return errNoTarget
	case n > 1 && (o.Config != "" || o.Wrap != ""):
		return usageError{errors.New("--config and --wrap are for one engine")}
	}
	if err := enter(*root); err != nil {
		return err
	}
	if _, findings := loadPolicy(policy.DefaultPath, false); findings.Err() != nil {
		return hinted{findings.Err(), "with such a policy no container would start; batten check says all that is wrong"}
	}
	settings, err := ociruntime.LoadConfig(ociruntime.DefaultConfig)
	o.Runtime, o.NoRuntime = settings.Runtime, err
	if o.Bin, err = install.Binaries(o.Bin); err != nil {
		return hinted{err, "make build leaves all of them in bin/"}
	}
	var plans []*install.Plan
	for _, t := range targets {
		if !*c[t.name] {
			continue
		}
		p, err := t.plan(o)
		if err != nil {
			return hinted{err, "nothing was changed"}
		}
		plans = append(plans, p)
	}
	return i.carryOut(plans, o.Dir, *dry, "installed")
}

// uninstalls takes Batten out again.
func uninstalls(i *invocation) error {
	c := newChosen(i, "out of the configuration of")
	dir := i.flags.String("dir", install.DefaultDir, "`directory` where it is remembered what was there before")
	dry := i.flags.Bool("dry-run", false, "print what would change as a unified diff, and change nothing")
	root := i.flags.String("root", "", rootUsage)
	if err := i.parse(0); err != nil {
		return err
	}
	if c.count() == 0 {
		return errNoTarget
	}
	if err := enter(*root); err != nil {
		return err
	}
	var plans []*install.Plan
	for _, t := range targets {
		if !*c[t.name] {
			continue
		}
		p, err := install.Undo(*dir, t.name)
		if err != nil {
			return hinted{err, "nothing was changed"}
		}
		plans = append(plans, p)
	}
	return i.carryOut(plans, *dir, *dry, "uninstalled")
}

// carryOut applies plans, or shows what they would do.
func (i *invocation) carryOut(plans []*install.Plan, dir string, dry bool, done string) error {
	for _, p := range plans {
		if dry {
			fmt.Fprintf(i.stdout, "%s", p.Diff())
			continue
		}
		if err := p.Apply(dir); err != nil {
			return hinted{err, strings.TrimSuffix(done, "ed") + " of " + p.Target + " did not take place"}
		}
		if p.Unchanged() {
			fmt.Fprintf(i.stdout, "%s: %s is as it should be already\n", p.Target, p.File)
			continue
		}
		fmt.Fprintf(i.stdout, "%s: %s: %s\n", p.Target, done, p.File)
		for _, note := range p.Notes {
			fmt.Fprintf(i.stdout, "note: %s\n", note)
		}
	}
	return nil
}
