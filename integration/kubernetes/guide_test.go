package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/cluster"
	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/daemonset"
	"github.com/batten-runtime/batten/internal/testpages"
)

// guideStep is what the test adds to a command that a page shows, by how that begins.
type guideStep struct {
	begins string
	not    string // why it is not run
	before func() // what the page takes for granted
	as     string // what is run in its place
	status int
	says   string
	// revives is set where it ends containerd, which here only the test starts again.
	revives bool
}

// checkGuide runs the commands of the guides that need a cluster as they are printed. Of pages for
// one node, which integration/machines runs, these are the commands of kubectl and helm.
func checkGuide(t *testing.T, c *cluster.Cluster, before []byte) {
	g := guided{t: t, c: c, dir: filepath.Join(c.Dir, "guide")}
	g.checkout()
	g.page("kubernetes.md", nil, []guideStep{
		{begins: "make image", not: "the suite has run it"},
		{begins: "kubectl apply -k", revives: true},
		{begins: "kubectl get nodes -l batten-runtime.github.io/handler=batten", before: g.awaitReady, says: cluster.NodeName},
		{begins: "kubectl get events", says: "BattenReady"},
		{begins: "helm install", says: "STATUS: deployed", revives: true, before: func() {
			undeployed(t, c, "runtimeclass", before)
			g.shell("ctr -n k8s.io images tag docker.io/batten-runtime/batten:dev registry.example/batten:v1")
		}},
		{begins: "helm test", before: g.awaitReady, says: "new pods of handler batten go through Batten"},
		{begins: "kubectl create configmap -n batten-system batten-policy --dry-run=client -o yaml \\\n--from-file=policy.yaml=deploy/policies/node-files.yaml", says: "configmap/batten-policy configured"},
		{begins: "kubectl auth can-i", status: 1, says: "no"},
		{begins: "kubectl delete -n batten-system daemonset", revives: true, before: func() {
			g.run("helm uninstall batten -n batten-system", true)
			deployed(t, c, "runtimeclass")
		}},
		{begins: "kubectl create configmap -n batten-system batten-policy --dry-run=client -o yaml \\\n--from-file=policy.yaml=deploy/policies/nested.yaml", says: "configmap/batten-policy created", before: func() {
			g.shell("kubectl create namespace batten-system")
		}},
		{begins: "batten diff", status: 1, says: "bpf", before: func() { g.shell("cp deploy/policies/ebpf-agent.json my-agent.json") }},
	})
	g.page("zero-day.md", []string{"kubectl"}, []guideStep{
		{begins: "kubectl -n batten-system create", says: "configmap/batten-policy patched", before: func() {
			g.shell("batten block --dry-run 'socket(AF_ALG)' > af-alg.yaml")
		}},
		{begins: "kubectl -n batten-system patch", says: "configmap/batten-policy patched", before: func() {
			if keys, _ := g.run("kubectl get configmap -n batten-system batten-policy -o yaml", false); !strings.Contains(keys, "\n  policy.yaml: ") || !strings.Contains(keys, "\n  af-alg.yaml: ") {
				t.Errorf("the ConfigMap is\n%s", keys)
			}
		}},
	})
	g.page("lint.md", []string{"helm"}, []guideStep{{begins: "helm template", as: "helm template deploy/helm/batten | batten lint -"}})
	g.shell("kubectl delete namespace batten-system")
	asBefore(t, c, before)
}

// guided runs commands on the node, in a directory that has what a checkout has.
type guided struct {
	t   *testing.T
	c   *cluster.Cluster
	dir string
}

func (g guided) checkout() {
	err := os.Mkdir(g.dir, 0o755)
	for _, name := range []string{"bin", "deploy"} {
		if err == nil {
			err = os.Symlink(filepath.Join(node.Root(), name), filepath.Join(g.dir, name))
		}
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// page runs the commands of a page, or those of some programs alone.
func (g guided) page(name string, only []string, steps []guideStep) {
	text, err := os.ReadFile(filepath.Join(node.Root(), "docs/guide", name))
	if err != nil {
		g.t.Fatal(err)
	}
	for _, command := range testpages.Commands(string(text)) {
		if program, _, _ := strings.Cut(command, " "); only != nil && !slices.Contains(only, program) {
			continue
		}
		s := guideStep{}
		if i := slices.IndexFunc(steps, func(s guideStep) bool { return strings.HasPrefix(command, s.begins) }); i >= 0 {
			s = steps[i]
			steps = slices.Delete(steps, i, i+1)
		}
		if s.not != "" {
			continue
		}
		if s.before != nil {
			s.before()
		}
		if s.as == "" {
			s.as = command
		}
		out, status := g.run(s.as, s.revives)
		if status != s.status || !strings.Contains(out, s.says) {
			g.t.Errorf("%s: %s: status %d, want %d and %q\n%s", name, command, status, s.status, s.says, out)
		}
	}
	for _, s := range steps {
		g.t.Errorf("%s has no command %q any more", name, s.begins)
	}
}

// run runs a command, and starts containerd again if that ends it meanwhile.
func (g guided) run(command string, revives bool) (out string, status int) {
	cmd := g.c.Shell(g.dir, command)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		text, _ := cmd.CombinedOutput()
		out, status = string(text), cmd.ProcessState.ExitCode()
	}()
	if revives {
		g.c.Revive()
	}
	<-ended
	g.t.Logf("# %s\n%s", command, out)
	return out, status
}

func (g guided) shell(command string) {
	g.t.Helper()
	if out, status := g.run(command, false); status != 0 {
		g.t.Fatalf("%s: status %d\n%s", command, status, out)
	}
}

// awaitReady waits until the node enforces.
func (g guided) awaitReady() {
	g.t.Helper()
	g.c.Eventually(time.Minute, "the node", func() error {
		if ready := nodeOf(g.t, g.c).Labels[daemonset.Ready]; ready != "true" {
			return fmt.Errorf("it is labelled ready=%s\n%s", ready, agentLog(g.c))
		}
		return nil
	})
}
