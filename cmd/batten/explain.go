package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/profile/reader"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newExplain() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain [flags] [FILE|DIRECTORY...]",
		Short: "say what the policy decides for a container or a pod, and why",
		Long: `batten explain says which rule of the policy decides for a container, what the
container runs under, and why. It answers for a bundle's config.json, for each
container of a Kubernetes manifest, or for what the flags describe. - is standard
input. Flags add to what a config.json says.`,
		Example: `  batten explain pod.yaml
  batten explain --pod-namespace web --pod shop --container main --image nginx
  batten explain --profile bundle/config.json`,
		SuggestFor:  []string{"why", "describe"},
		Annotations: map[string]string{exitOne: "a container is refused or does not start, or the policy or the file is wrong", files: policy.DefaultPath + "\n" + seccompRoot + "\n" + install.DefaultContainerd},
		Args:        between(0, math.MaxInt),
	}
	q := newQuestion(cmd)
	cmd.ValidArgsFunction = completeExtensions("json", "yaml", "yml")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		q.given = make(map[string]bool)
		cmd.Flags().Visit(func(f *pflag.Flag) { q.given[f.Name] = true })
		if _, err := q.engine.engine(); err != nil {
			return err
		}
		if len(args) == 0 {
			return q.explain(cmd, "", nil)
		}
		return q.explainFiles(cmd, args)
	}
	return cmd
}

func newQuestion(cmd *cobra.Command) *question {
	q := &question{}
	f := cmd.Flags()
	f.StringVar(&q.policy, "policy", policy.DefaultPath, "`file` of the policy")
	f.BoolVar(&q.draft, "draft", false, "the policy is not installed yet: do not check its owner and mode")
	f.BoolVar(&q.show, "profile", false, "print the linux.seccomp that comes out")
	f.StringVar(&q.namespace, "containerd-namespace", names.CRINamespace, "containerd `namespace` of the container")
	f.StringVar(&q.runtime, "runtime", names.RuntimeType, "runtime `type` that runs Batten")
	f.StringVar(&q.podNamespace, "pod-namespace", "", "Kubernetes `namespace` of the pod")
	f.StringVar(&q.podName, "pod", "", "`name` of the pod")
	f.StringVar(&q.container, "container", "", "`name` of the container in its pod")
	f.StringVar(&q.image, "image", "", "`name` of the image")
	f.StringVar(&q.kind, "kind", policy.Container, "`kind` of the container: Sandbox or Container")
	f.StringArrayVar(&q.capabilities, "capability", nil, "`name` of a capability in the bounding set; may be repeated")
	f.StringArrayVar(&q.mounts, "mount", nil, "`path` of the node that a mount shows; may be repeated")
	f.StringArrayVar(&q.namespaces, "shares", nil, "`host-pid` or another namespace that it shares with the node; may be repeated")
	f.StringArrayVar(&q.annotations, "annotation", nil, "`key=value` of an annotation; may be repeated")
	f.StringVar(&q.node.SeccompRoot, "seccomp-root", seccompRoot, "manifests: `directory` in which the kubelet looks for profiles")
	f.StringVar(&q.node.Containerd, "containerd", "", "manifests: `file` of containerd's configuration; by default that of the node's distribution")
	f.BoolVar(&q.asInstalled, "as-installed", false, "manifests: answer as if Batten were containerd's default handler; true where no handler goes through it")
	f.BoolVar(&q.node.SeccompDefault, "seccomp-default", false, "manifests: the kubelet runs with seccompDefault")
	f.BoolVar(&q.filtered, "filtered", false, "the container brings a seccomp filter")
	q.engine = newEngineFlag(cmd, reader.Containerd, "profiles of type Localhost and, if it is cri-o, starts the containers")
	q.oci = newOCIRuntime(cmd)
	completeQuestion(cmd)
	return q
}

func completeQuestion(cmd *cobra.Command) {
	completeFiles(cmd, map[string][]string{"policy": {"yaml", "yml"}, "containerd": {"toml"}}, "seccomp-root", "mount")
	completeOneOf(cmd, map[string][]string{
		"containerd-namespace": {names.CRINamespace, "moby", "default"},
		"runtime":              {names.RuntimeType, names.Wrapper},
		"kind":                 {policy.Container, policy.Sandbox},
		"shares":               policy.HostNamespaces,
	})
	completeFlag(cmd, "capability", completeCapabilities)
	completeFlag(cmd, "pod-namespace", completeRecords(recordPodNamespace))
	completeFlag(cmd, "pod", completeRecords(recordPod))
	completeFlag(cmd, "container", completeRecords(recordContainer))
	completeFlag(cmd, "image", completeRecords(recordImage))
	completeFlag(cmd, "annotation", cobra.NoFileCompletions)
}

// explain says which rule decides for one container, and what it runs under. Data is a
// config.json, nil where only flags describe the container.
func (q *question) explain(cmd *cobra.Command, name string, data []byte) error {
	p, findings := loadPolicy(q.policy, q.draft)
	if err := findings.Err(); err != nil {
		return hinted{err, q.brokenPolicy(q.draft)}
	}
	request, err := q.request(p, name, data)
	if err != nil {
		return err
	}
	m, err := q.machine()
	if err != nil {
		return err
	}
	return q.explainContainer(cmd.OutOrStdout(), p, request, m)
}

// explainContainer says what one container runs under, and why.
func (q *question) explainContainer(w io.Writer, p *policy.Policy, request policy.Request, m policy.Machine) error {
	o := p.Resolve(request, q.asked, m)
	fmt.Fprintf(w, "policy:    %s (sha256 %.12s)\n", p.Path, p.Digest)
	for _, d := range p.DropIns {
		fmt.Fprintf(w, "drop-in:   %s (sha256 %.12s)\n", d.Path, d.Digest)
	}
	fmt.Fprintf(w, "container: %s\n", describe(o.Identity, request))
	fmt.Fprintf(w, "rule:      %s\n", orDash(o.Rule))
	fmt.Fprintf(w, "decision:  %s, because %s\n", verdict(&o), o.Reason)
	if o.Refusal != "" {
		fmt.Fprintf(w, "refused:   %s\n", o.Refusal)
	}
	if o.Unheld && o.Mode == policy.Audit {
		fmt.Fprintf(w, "mode:      %s: refused all the same, because what the node demands of every container would not hold\n", o.Mode)
	} else if o.Mode == policy.Audit {
		fmt.Fprintf(w, "mode:      %s: %s\n", o.Mode, audited(&o))
		fmt.Fprintf(w, "enforced:  it %s\n", enforced(&o, m))
	}
	if seen := denialsSeen(&o); seen != "" {
		fmt.Fprintf(w, "denials:   %s\n", seen)
	}
	for _, c := range q.closed {
		fmt.Fprintf(w, "closed:    to %s while it ran, by batten block --running (%s)\n", c.Calls, c.Name)
	}
	if q.note != "" {
		fmt.Fprintf(w, "note:      %s\n", q.note)
	}
	for _, note := range o.Notes {
		fmt.Fprintf(w, "note:      %s\n", note)
	}
	if o.Hooks == policy.Record {
		for _, h := range request.Hooks {
			fmt.Fprintf(w, "hook:      %s, which is recorded\n", h)
		}
	}
	if o.Refused() {
		return errNo
	}
	if o.Result == nil || o.Verdict == policy.Leave {
		return nil
	}
	return q.tellProfile(w, o.Result)
}

// brokenPolicy says what to do about a policy that has an error.
func (q *question) brokenPolicy(draft bool) string {
	switch {
	case q.policy == policy.DefaultPath:
		return "batten check says all that is wrong; until it is repaired no container starts"
	case draft:
		return "batten check --draft " + q.policy + " says all that is wrong"
	}
	return "batten check " + q.policy + " says all that is wrong; --draft is for a policy that is not installed"
}

// tellProfile prints a profile, or its size.
func (q *question) tellProfile(w io.Writer, s *specs.LinuxSeccomp) error {
	if !q.show {
		fmt.Fprintf(w, "profile:   %s, %s (--profile prints it)\n", s.DefaultAction, plural(len(s.Syscalls), "rule"))
		return nil
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, profile.Encode(*s), "", "  "); err != nil {
		return err
	}
	fmt.Fprintf(w, "profile:\n%s\n", indented.String())
	return nil
}

func describe(who policy.Identity, r policy.Request) string {
	out := who.Kind + " in containerd namespace " + r.ContainerdNamespace
	switch {
	case r.Engine == names.CRIO:
		out = who.Kind + " of CRI-O"
	case r.ContainerdNamespace == "": // Podman's
		out = who.Kind + " in no containerd namespace"
	}
	if who.PodName != "" {
		out += ", pod " + who.PodNamespace + "/" + who.PodName
	}
	if who.Container != "" {
		out += ", container " + who.Container + ", image " + who.Image
	}
	return out
}
