package main

import (
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/internal/explain"
	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/policy"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// explainPods says of each container of pods that are not there yet what it will
// run under on this node.
func (q *question) explainPods(cmd *cobra.Command, pods []*manifest.Pod, objects []manifest.Object) error {
	if err := onlyForManifests(cmd); err != nil {
		return err
	}
	engine, err := q.engine.engine()
	if err != nil {
		return err
	}
	q.node.Engine = engine
	starts := q.starts()
	handlers, err := install.Handlers(install.Configs{Containerd: q.node.Containerd, CRIO: install.DefaultConfigs.CRIO})
	if err != nil {
		return hinted{err, "--containerd names containerd's configuration"}
	}
	asInstalled := q.asInstalled
	if !cmd.Flags().Changed("as-installed") {
		asInstalled = !explain.Installed(starts, handlers)
	}
	// A policy that is elsewhere is not installed either, and its owner is a user of CI.
	draft := q.draft || asInstalled && q.policy != policy.DefaultPath
	p, findings := loadPolicy(q.policy, draft)
	if err := findings.Err(); err != nil {
		return hinted{err, q.brokenPolicy(draft)}
	}
	m, err := q.machine()
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "policy: %s (sha256 %.12s)%s\n", p.Path, p.Digest, modeWords(p.Mode))
	if asInstalled {
		fmt.Fprintf(cmd.OutOrStdout(), "assumed: Batten is %s's default handler; --as-installed=false answers for this machine as it is\n", starts)
	}
	refused := false
	for _, pod := range pods {
		t := podTable{question: q, policy: p, pod: pod, route: explain.Route(starts, pod, objects, handlers, asInstalled), machine: m}
		refused = t.print(cmd.OutOrStdout()) || refused
	}
	if refused {
		return errNo
	}
	return nil
}

// onlyForManifests refuses flags that ask about one container: a manifest says all
// of that itself.
func onlyForManifests(cmd *cobra.Command) (err error) {
	taken := []string{"as-installed", "policy", "draft", "pod-namespace", "seccomp-root", "seccomp-default", "containerd", "engine"}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(taken, f.Name) {
			err = usageError{fmt.Errorf("--%s does not go with a manifest", f.Name)}
		}
	})
	return err
}

// underOutcome says in a table's few words what a container runs under.
func underOutcome(o *policy.Outcome) (out string) {
	switch {
	case o.Refusal != "":
		out = "refused"
	case o.Verdict == policy.Replace:
		out = o.Profile
	case o.Question == "present":
		out = "what it brings"
	default:
		out = "no filter"
	}
	if o.Refusal == "" {
		out += underFloor(o) + underMandatory(o)
	}
	switch {
	case o.Mode == policy.Audit && o.Mandatory != "":
		out += " (Audit: held to " + o.Mandatory + " alone)"
	case o.Mode == policy.Audit:
		out += " (Audit: not changed)"
	}
	return out
}
