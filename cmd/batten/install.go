package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/shim/runc"
	"github.com/spf13/cobra"
)

func newInstall() *cobra.Command {
	var o install.Options
	cmd := &cobra.Command{
		Use:   "install [flags] --containerd|--docker|--podman|--crio",
		Short: "put Batten into an engine's configuration",
		Long: `batten install adds Batten to an engine's configuration, as a runtime that users
may name or, with --default, as the engine's default. The engine checks the result
where it can, and reads it when it is restarted. Installing again changes nothing.

On k3s, RKE2, k0s, MicroK8s, EKS, AKS, GKE and Flatcar it finds where containerd's
configuration goes. It never edits a file that something else generates.`,
		Example: `  batten install --containerd --default --dry-run
  batten install --containerd --distribution k3s --default --restart
  batten install --docker --default --all-runtimes
  batten install --podman --default`,
		SuggestFor:  []string{"enable", "setup"},
		Annotations: map[string]string{exitOne: "nothing was changed, and why", files: engineFiles()},
		Args:        between(0, 0),
	}
	e := newEngines(cmd, "put Batten into the configuration of")
	f := cmd.Flags()
	f.StringVar(&o.Handler, "handler", "", "`name` of the RuntimeClass handler or runtime; if not given, the installed one, else batten, and for Podman batten-runc")
	f.StringVar(&o.Wrap, "wrap", "", "containerd and CRI-O: `name` of the handler to wrap; if not given, the installed one, else the engine's default")
	f.BoolVar(&o.Default, "default", false, "make it the engine's default; it stays that when install runs again")
	f.BoolVar(&o.NoDefault, "no-default", false, "no longer make it the engine's default")
	f.BoolVar(&o.AllRuntimes, "all-runtimes", false, "Docker: every runtime that a user can name goes through Batten, runc and io.containerd.runc.v2 too; it stays so when install runs again")
	f.StringVar(&o.Config, "config", "", "the engine's configuration `file`, if it is another; with one engine only")
	f.StringVar(&o.Bin, "bin", "", "`directory` of Batten's other binaries; where batten is, or a usual one, if not given")
	f.StringVar(&o.Distribution, "distribution", "", "containerd: the node's `distribution`, if it is not recognized: "+strings.Join(install.DistributionNames(), ", "))
	f.StringVar(&o.Binary, "containerd-binary", "", "containerd's program, a `file`; the distribution's, or the one on PATH, if not given")
	completeFlag(cmd, "distribution", completeWords(install.DistributionNames()...))
	completeFiles(cmd, map[string][]string{"config": {"toml", "json", "conf"}, "containerd-binary": nil}, "bin")
	completeFlag(cmd, "handler", completeHandlers)
	completeFlag(cmd, "wrap", completeHandlers)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return e.install(cmd.OutOrStdout(), o) }
	return cmd
}

// install puts Batten into engines' configurations.
func (e *engines) install(w io.Writer, o install.Options) error {
	o.Dir = e.dir
	switch n := e.count(); {
	case n == 0:
		return errNoTarget
	case o.Default && o.NoDefault:
		return usageError{errors.New("--default and --no-default exclude each other")}
	case o.AllRuntimes && !*e.chosen["docker"]:
		return usageError{errors.New("--all-runtimes goes with --docker")}
	case (o.Distribution != "" || o.Binary != "") && !*e.chosen["containerd"]:
		return usageError{errors.New("--distribution and --containerd-binary go with --containerd")}
	case n > 1 && (o.Config != "" || o.Wrap != ""):
		return usageError{errors.New("--config and --wrap are for one engine")}
	}
	if err := e.enter(); err != nil {
		return err
	}
	if _, findings := loadPolicy(policy.DefaultPath, false); findings.Err() != nil {
		return hinted{findings.Err(), "with such a policy no container would start; batten check says all that is wrong"}
	}
	settings, err := runc.LoadConfig()
	o.Runtime, o.NoRuntime = settings.Runtime, err
	if o.Bin, err = install.Binaries(o.Bin); err != nil {
		return hinted{err, "make build leaves all of them in bin/"}
	}
	var keep []*install.Plan
	var note string
	if *e.chosen["podman"] {
		uses := install.PodmanUses()
		p, said, err := install.KeepRuntime(o, runc.DefaultConfig, uses)
		if err != nil {
			return hinted{err, "nothing was changed"}
		}
		if note = said; p != nil && e.count() == 1 { // another engine may use batten-runc, too
			keep, o.Runtime, o.NoRuntime = append(keep, p), uses, nil
		}
	}
	plans, notes, err := e.plans(o)
	if err != nil {
		return hinted{err, "nothing was changed"}
	}
	if note != "" {
		notes = append(notes, note)
	}
	if err := e.carryOut(w, append(keep, plans...), "installed"); err != nil {
		return err
	}
	for _, note := range notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
	if slices.ContainsFunc(plans, func(p *install.Plan) bool { return p.Target == "containerd" && p.Default() }) {
		noteOlderPods(w)
	}
	return nil
}

// plans returns what installing to the chosen engines would do, and what else to say.
func (e *engines) plans(o install.Options) (plans []*install.Plan, notes []string, err error) {
	for _, t := range targets {
		if !*e.chosen[t.name] {
			continue
		}
		p, err := t.plan(o)
		if err != nil {
			return nil, nil, err
		}
		if t.name == "crio" { // before CRI-O can call batten-runc
			settings, err := runc.LoadCRIOConfig()
			o.Runtime, o.NoRuntime = settings.Runtime, err
			told, note, err := install.CRIORuntime(o, runc.CRIOConfig, p)
			switch {
			case err != nil:
				return nil, nil, err
			case told != nil:
				plans = append(plans, told)
			case note != "":
				notes = append(notes, note)
			}
		}
		plans = append(plans, p)
		if t.name == "docker" && p.AllRuntimes() {
			more, err := install.AllRuntimes(o)
			if err != nil {
				return nil, nil, err
			}
			plans = append(plans, more...)
		}
	}
	return plans, notes, nil
}

// engineFiles are the engines' configurations and what is remembered of them.
func engineFiles() string {
	out := policy.DefaultPath + "\n" + runc.DefaultConfig + "\n" + runc.CRIOConfig
	for _, t := range targets {
		out += "\n" + t.config
	}
	return out
}
