package cluster

import (
	"os/exec"
	"path/filepath"

	"github.com/batten-runtime/batten/integration/node"
)

func helm() string { return filepath.Join(node.Cache(), "helm-4/helm") }

// Helm is a call of helm as the cluster's administrator, which ends after four minutes.
func (c *Cluster) Helm(args ...string) *exec.Cmd {
	cmd := c.Command(append([]string{"timeout", "240", helm(), "--kubeconfig", c.kubeconfig("admin")}, args...)...)
	cmd.Env = append(cmd.Env, helmHomes(c.path("helm"))...)
	return cmd
}

// HelmTemplate is a call of helm that needs no cluster; dir is where helm keeps its files.
func HelmTemplate(t node.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	outside(t)
	cmd := exec.Command(helm(), append([]string{"template"}, args...)...)
	cmd.Env = append(cmd.Environ(), helmHomes(dir)...)
	return cmd
}

// Kustomize is kubectl's kustomize of a directory, which needs no cluster.
func Kustomize(t node.T, dir string) *exec.Cmd {
	t.Helper()
	outside(t)
	return exec.Command(anyTool("kubectl"), "kustomize", dir)
}

// outside is for what needs no cluster to be started.
func outside(t node.T) {
	t.Helper()
	(&Cluster{t: t, release: newest}).need()
}

func helmHomes(dir string) (env []string) {
	for _, home := range []string{"CACHE", "CONFIG", "DATA"} {
		env = append(env, "HELM_"+home+"_HOME="+filepath.Join(dir, home))
	}
	return env
}

// Shell is a line of bash on the node, in a directory, in which kubectl and helm are the
// administrator's.
func (c *Cluster) Shell(dir, line string) *exec.Cmd {
	path := filepath.Dir(anyTool("kubectl")) + ":" + filepath.Dir(helm())
	cmd := c.Command("timeout", "240", "bash", "-c", "cd "+dir+" && PATH=$PATH:"+path+" && "+line)
	cmd.Env = append(cmd.Env, "KUBECONFIG="+c.kubeconfig("admin"), "KUBECACHEDIR="+filepath.Join(c.Dir, "kube-cache"))
	cmd.Env = append(cmd.Env, helmHomes(c.path("helm"))...)
	return cmd
}
