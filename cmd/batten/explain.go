package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/batten-runtime/batten/install"
	"github.com/batten-runtime/batten/manifest"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/spec"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// explain says which rule decides for a container, or for each of a manifest, and
// what it runs under.
func explain(i *invocation) error {
	q := newQuestion(i)
	if err := i.parse(1); err != nil {
		return err
	}
	name, data := i.flags.Arg(0), []byte(nil)
	if name != "" {
		var err error
		if data, err = readAny(name, i.stdin); err != nil {
			return hinted{err, "name a bundle's config.json, a manifest, or - for standard input"}
		}
		if pods, objects, err := pods(name, data); err != nil || len(pods) > 0 {
			if err == nil {
				err = q.explainPods(i, pods, objects)
			}
			return err
		}
	}
	request, err := q.request(name, data)
	if err != nil {
		return err
	}
	p, findings := loadPolicy(q.policy, q.draft)
	if err := findings.Err(); err != nil {
		return hinted{err, brokenPolicy}
	}
	d := p.Decide(request)
	who := policy.Identify(request)
	w := i.stdout
	fmt.Fprintf(w, "policy:    %s (sha256 %.12s)\n", p.Path, p.Digest)
	fmt.Fprintf(w, "container: %s\n", describe(who, request))
	fmt.Fprintf(w, "rule:      %s\n", orDash(d.Rule))
	fmt.Fprintf(w, "decision:  %s, because %s\n", outcome(d), d.Reason)
	if d.Mode == policy.Audit {
		fmt.Fprintf(w, "mode:      %s: only recorded and logged, nothing is changed\n", d.Mode)
	}
	switch {
	case d.Verdict == policy.Refuse && d.Mode == policy.Enforce:
		return errNo
	case d.Verdict == policy.Leave, d.Verdict == policy.Tighten && q.asked == nil:
		return nil
	}
	return q.explainProfile(w, p, d, request)
}

const brokenPolicy = "batten check says all that is wrong; until it is mended no container starts"

// explainProfile says what linux.seccomp a decision puts in place.
func (q *question) explainProfile(w io.Writer, p *policy.Policy, d policy.Decision, request policy.Request) error {
	s, notes, err := q.comesOut(p, d, request)
	if err != nil {
		return err
	}
	for _, note := range notes {
		fmt.Fprintf(w, "note:      %s\n", note)
	}
	if !q.show {
		fmt.Fprintf(w, "profile:   %s, %s (--profile prints it)\n", s.DefaultAction, plural(len(s.Syscalls), "rule"))
		return nil
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, profile.Encode(s), "", "  "); err != nil {
		return err
	}
	fmt.Fprintf(w, "profile:\n%s\n", indented.String())
	return nil
}

// comesOut is the linux.seccomp after the decision, under its floor.
func (q *question) comesOut(p *policy.Policy, d policy.Decision, request policy.Request) (s specs.LinuxSeccomp, notes []string, err error) {
	m := machine()
	if d.Verdict == policy.Tighten {
		s = *q.asked
	} else if s, notes, err = p.Seccomp(d, request.Bounding, m); err != nil {
		return s, nil, err
	}
	if !d.Tightens() {
		return s, notes, nil
	}
	floor, err := p.FloorSeccomp(d, request.Bounding, m)
	if err != nil {
		return s, nil, err
	}
	out, more, err := profile.Floor(floor, s, profile.Limits{})
	return out.Seccomp, append(notes, more...), err
}

func outcome(d policy.Decision) string {
	switch d.Verdict {
	case policy.Refuse:
		return "refuse it"
	case policy.Leave:
		return "leave it as it is"
	case policy.Tighten:
		return "run it under what it brings, tightened to " + d.Floor
	}
	if d.Tightens() {
		return "run it under " + d.Profile + ", tightened to " + d.Floor
	}
	return "run it under " + d.Profile
}

func describe(who policy.Identity, r policy.Request) string {
	out := who.Kind + " in containerd namespace " + r.ContainerdNamespace
	if who.PodName != "" {
		out += ", pod " + who.PodNamespace + "/" + who.PodName
	}
	if who.Container != "" {
		out += ", container " + who.Container + ", image " + who.Image
	}
	return out
}

// question is the container that explain is asked about: a config.json, or
// match fields by themselves, which also override what a config.json says.
type question struct {
	policy      string
	draft, show bool

	namespace, runtime                            string
	podNamespace, podName, container, image, kind string
	capabilities, annotations                     list
	filtered                                      bool
	asked                                         *specs.LinuxSeccomp // what a config.json brings
	node                                          onNode
}

// shimRuntime is what rules of the policy call the shim.
const shimRuntime = "io.containerd.batten.v2"

func newQuestion(i *invocation) *question {
	q := &question{}
	f := i.flags
	f.StringVar(&q.policy, "policy", policy.DefaultPath, "`file` of the policy")
	f.BoolVar(&q.draft, "draft", false, "the policy is not in place yet: its owner and mode do not matter")
	f.BoolVar(&q.show, "profile", false, "print the linux.seccomp that comes out")
	f.StringVar(&q.namespace, "containerd-namespace", "k8s.io", "containerd `namespace` of the container")
	f.StringVar(&q.runtime, "runtime", shimRuntime, "runtime `type` that runs Batten")
	f.StringVar(&q.podNamespace, "pod-namespace", "", "Kubernetes `namespace` of the pod")
	f.StringVar(&q.podName, "pod", "", "`name` of the pod")
	f.StringVar(&q.container, "container", "", "`name` of the container in its pod")
	f.StringVar(&q.image, "image", "", "`name` of the image")
	f.StringVar(&q.kind, "kind", policy.Container, "Sandbox or Container")
	f.Var(&q.capabilities, "capability", "`name` of a capability in the bounding set; may be repeated")
	f.Var(&q.annotations, "annotation", "`key=value` of an annotation; may be repeated")
	f.StringVar(&q.node.seccompRoot, "seccomp-root", seccompRoot, "manifests: `directory` in which the kubelet looks for profiles")
	f.StringVar(&q.node.containerd, "containerd", install.DefaultContainerd, "manifests: `file` of containerd's configuration")
	f.BoolVar(&q.node.seccompDefault, "seccomp-default", false, "manifests: the kubelet runs with seccompDefault")
	f.BoolVar(&q.filtered, "filtered", false, "the container brings a seccomp filter")
	return q
}

// list is a flag that may be repeated.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

// request is the question as the policy sees it.
func (q *question) request(name string, data []byte) (policy.Request, error) {
	r := policy.Request{ContainerdNamespace: q.namespace, Runtime: q.runtime, Annotations: map[string]string{}, Bounding: q.capabilities, Filtered: q.filtered}
	if data != nil {
		s, err := spec.Parse(data)
		if err != nil {
			return r, hinted{fmt.Errorf("spec %q:%w", name, err), "the file is a bundle's config.json"}
		}
		if s.Annotations != nil {
			r.Annotations = s.Annotations
		}
		r.Bounding = append(s.Bounding, q.capabilities...)
		asked, err := profile.Decode(s.Seccomp)
		if err != nil {
			return r, fmt.Errorf("spec %q: linux.seccomp: %w", name, err)
		}
		if !profile.FiltersNothing(asked) {
			r.Filtered, q.asked = true, asked
		}
	}
	if q.kind != policy.Container && q.kind != policy.Sandbox {
		return r, usageError{fmt.Errorf("--kind %q is neither %s nor %s", q.kind, policy.Sandbox, policy.Container)}
	}
	for _, a := range q.annotations {
		key, value, ok := strings.Cut(a, "=")
		if !ok {
			return r, usageError{fmt.Errorf("--annotation %q is not key=value", a)}
		}
		r.Annotations[key] = value
	}
	return r, q.identify(&r)
}

// identify puts the pod's names where CRI would.
func (q *question) identify(r *policy.Request) error {
	if q.podNamespace+q.podName+q.container+q.image == "" && q.kind == policy.Container {
		return nil
	}
	if r.ContainerdNamespace != "k8s.io" {
		return usageError{fmt.Errorf("pods are in the containerd namespace k8s.io, not %q", r.ContainerdNamespace)}
	}
	policy.Identity{
		Kind: q.kind, PodNamespace: q.podNamespace, PodName: q.podName, Container: q.container, Image: q.image,
	}.Annotate(r.Annotations)
	return nil
}

// readAny reads a file, or stdin for "-".
func readAny(path string, stdin io.Reader) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(stdin, manifest.MaxSize+1))
	}
	return os.ReadFile(path)
}
