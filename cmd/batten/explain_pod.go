package main

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/batten-runtime/batten/install"
	"github.com/batten-runtime/batten/manifest"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/shim/ociruntime"
)

// pods are those that the file makes, none where it is no manifest.
func pods(name string, data []byte) ([]*manifest.Pod, []manifest.Object, error) {
	objects, err := manifest.Parse(name, data)
	if err != nil || !slices.ContainsFunc(objects, manifest.Object.IsKubernetes) {
		return nil, nil, nil
	}
	var out []*manifest.Pod
	for _, o := range objects {
		p, err := o.Pod()
		if err != nil {
			return nil, nil, hinted{err, "batten lint says more"}
		}
		if p != nil {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, nil, hinted{fmt.Errorf("manifest %q makes no pod", name), "name a Pod, a Deployment or the like, or a bundle's config.json"}
	}
	return out, objects, nil
}

// explainPods says of each container of pods that are not there yet what it will
// run under on this node.
func (q *question) explainPods(i *invocation, pods []*manifest.Pod, objects []manifest.Object) error {
	if err := i.onlyForManifests(); err != nil {
		return err
	}
	p, findings := loadPolicy(q.policy, q.draft)
	if err := findings.Err(); err != nil {
		return hinted{err, brokenPolicy}
	}
	handlers, err := install.Handlers(install.Configs{Containerd: q.node.containerd})
	if err != nil {
		return hinted{err, "--containerd names containerd's configuration"}
	}
	fmt.Fprintf(i.stdout, "policy: %s (sha256 %.12s)\n", p.Path, p.Digest)
	refused := false
	for _, pod := range pods {
		refused = q.explainPod(i, p, pod, route(pod, objects, handlers)) || refused
	}
	if refused {
		return errNo
	}
	return nil
}

// onlyForManifests refuses flags that ask about one container: a manifest says all
// of that itself.
func (i *invocation) onlyForManifests() (err error) {
	taken := []string{"policy", "draft", "pod-namespace", "seccomp-root", "seccomp-default", "containerd"}
	i.flags.Visit(func(f *flag.Flag) {
		if !slices.Contains(taken, f.Name) {
			err = usageError{fmt.Errorf("--%s does not go with a manifest", f.Name)}
		}
	})
	return err
}

// routeOf is how a pod's containers start.
type routeOf struct {
	handler string // as the node calls it; empty for its default one
	runtime string // as the policy calls what runs Batten; empty where nothing does
	known   bool
}

// route is the way of one pod.
func route(pod *manifest.Pod, objects []manifest.Object, handlers []install.Handler) (r routeOf) {
	r.handler = pod.Handler(objects)
	r.runtime = shimRuntime
	for _, h := range handlers {
		if h.Engine != "containerd" || h.Name != r.handler && !(r.handler == "" && h.Default) {
			continue
		}
		r.handler, r.known = h.Name, true
		switch {
		case !h.Batten:
			r.runtime = ""
		case strings.HasSuffix(h.By, "/"+ociruntime.RuntimeName):
			r.runtime = ociruntime.RuntimeName
		}
	}
	return r
}

func (r routeOf) String() string {
	name := r.handler
	if name == "" {
		name = "the default one"
	}
	switch {
	case !r.known:
		return name + ", which this node does not have; taken to come to Batten"
	case r.runtime == "":
		return name + ", which goes round Batten: nobody asks the policy"
	}
	return name + ", which comes to Batten"
}

// explainPod prints a table of one pod's containers, and says whether any will be
// refused.
func (q *question) explainPod(i *invocation, p *policy.Policy, pod *manifest.Pod, r routeOf) (refused bool) {
	namespace := pod.PodNamespace()
	if q.podNamespace != "" {
		namespace = q.podNamespace
	}
	name := pod.PodName()
	fmt.Fprintf(i.stdout, "\n%s: pod %s/%s, handler %s\n", pod, namespace, name, r)
	w := tabwriter.NewWriter(i.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CONTAINER\tASKS FOR\tRULE\tRUNS UNDER\tWHY")
	row := func(container, asks string, filtered bool, bounding []string, who policy.Identity) {
		who.PodNamespace, who.PodName = namespace, name
		if r.runtime == "" {
			under, why := "no filter", "stock containerd does as it is asked"
			if filtered {
				under = asks
			}
			fmt.Fprintf(w, "%s\t%s\t-\t%s\t%s\n", container, asks, under, why)
			return
		}
		request := policy.Request{ContainerdNamespace: "k8s.io", Runtime: r.runtime, Annotations: map[string]string{}, Bounding: bounding, Filtered: filtered}
		who.Annotate(request.Annotations)
		d := p.Decide(request)
		refused = refused || d.Verdict == policy.Refuse && d.Mode == policy.Enforce
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", container, asks, orDash(d.Rule), underDecision(d), d.Reason)
	}
	row("(sandbox)", "nothing", false, bounding(manifest.Container{}), policy.Identity{Kind: policy.Sandbox})
	var notes []string
	for _, c := range pod.Containers() {
		asks, filtered, note := q.node.asks(pod, c)
		row(c.Name, asks, filtered, bounding(c), policy.Identity{Kind: policy.Container, Container: c.Name, Image: c.Image})
		if note != "" {
			notes = append(notes, fmt.Sprintf("note: container %s: %s", c.Name, note))
		}
	}
	_ = w.Flush()
	for _, note := range notes {
		fmt.Fprintln(i.stdout, note)
	}
	return refused
}

// underDecision is a decision in a table's few words.
func underDecision(d policy.Decision) string {
	out := map[policy.Verdict]string{
		policy.Refuse: "refused", policy.Leave: "no filter", policy.Replace: d.Profile, policy.Tighten: "what it brings",
	}[d.Verdict]
	if d.Verdict == policy.Leave && d.Question == "present" {
		out = "what it brings"
	}
	if d.Tightens() {
		out += ", tightened to " + d.Floor
	}
	if d.Mode == policy.Audit {
		out += " (Audit: not changed)"
	}
	return out
}
