package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/batten-runtime/batten/internal/explain"
	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/shim/enforce"
)

// podTable is the answer for one pod: a row for its sandbox and for each container.
type podTable struct {
	*question
	policy  *policy.Policy
	pod     *manifest.Pod
	route   explain.RouteOf
	machine policy.Machine

	out     *tabwriter.Writer
	notes   []string
	refused bool // a container does not start
}

// row is a container of the pod.
type row struct {
	container        string
	asks             explain.Brings
	bounding, mounts []string
	who              policy.Identity
}

const startsNot = "nothing: does not start"

// print prints the table, and reports whether a container does not start.
func (t *podTable) print(out io.Writer) (refused bool) {
	fmt.Fprintf(out, "\n%s%s: pod %s/%s, handler %s\n", t.in(t.pod.File), t.pod, t.namespace(), t.pod.PodName(), t.route)
	refusals := t.pod.Refusals(t.node.SeccompRoot)
	if len(refusals) == 0 && t.pod.Windows() {
		fmt.Fprintln(out, "note: the pod is for Windows, where there is no seccomp: nothing of it was looked at")
		return false
	}
	t.out = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t.out, "CONTAINER\tASKS FOR\tRULE\tRUNS UNDER\tWHY")
	for _, r := range t.rows() {
		if len(refusals) > 0 {
			t.fails(r, "the API server refuses the pod")
			continue
		}
		t.row(r)
	}
	_ = t.out.Flush()
	for _, why := range refusals {
		fmt.Fprintf(out, "refused: %s\n", why)
	}
	for _, note := range t.notes {
		fmt.Fprintln(out, note)
	}
	return t.refused
}

func (t *podTable) namespace() string {
	if t.podNamespace != "" {
		return t.podNamespace
	}
	return t.pod.PodNamespace()
}

// rows are the sandbox and the containers.
func (t *podTable) rows() []row {
	all := []row{{
		container: "(sandbox)", asks: explain.AsksSandbox(t.pod), bounding: explain.Bounding(manifest.Container{}),
		mounts: t.pod.SandboxPaths(), who: policy.Identity{Kind: policy.Sandbox},
	}}
	for _, c := range t.pod.Containers() {
		if calls := c.NestedCalls(); calls != nil && c.Privileged() && t.route.Runtime != "" {
			t.note(c.Name, fmt.Sprintf("its image starts containers, which needs %s: RuntimeDefault denies them, deploy/policies/nested.yaml allows them", strings.Join(calls, " and ")))
		}
		mounts, unknown := t.pod.HostPaths(c)
		if t.policy.MountPatterns() != nil {
			t.note(c.Name, strings.Join(unknown, "; "))
		}
		all = append(all, row{
			container: c.Name, asks: t.node.Asks(t.pod, c), bounding: explain.Bounding(c),
			mounts: mounts, who: policy.Identity{Kind: policy.Container, Container: c.Name, Image: c.Image},
		})
	}
	return all
}

func (t *podTable) note(container, text string) {
	if text != "" {
		t.notes = append(t.notes, fmt.Sprintf("note: container %s: %s", container, text))
	}
}

// line prints a row of the table.
func (t *podTable) line(r row, rule, under, why string) {
	fmt.Fprintf(t.out, "%s\t%s\t%s\t%s\t%s\n", r.container, r.asks.Words, rule, under, why)
}

// fails prints the row of a container that does not start.
func (t *podTable) fails(r row, why string) {
	t.refused = true
	t.line(r, "-", startsNot, why)
}

// row says what one container runs under.
func (t *podTable) row(r row) {
	a := r.asks
	t.note(r.container, a.Note)
	switch {
	case a.Fails != "":
		t.fails(r, a.Fails)
		return
	case t.route.Runtime != "":
		t.decided(r)
		return
	case a.Stops != "":
		t.fails(r, a.Stops)
		return
	}
	under := "no filter"
	if a.Filtered {
		under = a.Words
	}
	t.line(r, "-", under, "stock "+t.starts()+" does as it is asked")
}

// decided says what the policy decides for one container.
func (t *podTable) decided(r row) {
	a, who := r.asks, r.who
	request := policy.Request{
		ContainerdNamespace: t.containerdNamespace(), Engine: t.believed(), Runtime: t.route.Runtime, Annotations: map[string]string{},
		Bounding: r.bounding, Mounts: r.mounts, Namespaces: t.pod.HostNamespaces(), Filtered: a.Filtered, Default: a.Default,
	}
	who.PodNamespace, who.PodName = t.namespace(), t.pod.PodName()
	who.Annotate(request.Engine, request.Annotations)
	enforce.SeeMounts(t.policy, &request)
	o := t.policy.Resolve(request, a.Brought, t.machine)
	if a.Stops != "" && !o.Refused() && o.Verdict != policy.Replace {
		t.fails(r, a.Stops)
		return
	}
	t.refused = t.refused || o.Refused()
	if o.Verdict != policy.Refuse {
		t.note(r.container, o.Refusal)
	}
	if o.Mode == policy.Audit {
		t.note(r.container, "enforced, it "+enforced(&o, t.machine))
	}
	t.line(r, orDash(o.Rule), underOutcome(&o), o.Reason)
}
