package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// problemsOf returns those of a status' problems that speak of a restart.
func problemsOf(t *testing.T, n *node.Node, args ...string) (pending []string, exit int) {
	t.Helper()
	s, exit := wholeStatus(t, n, args...)
	for _, problem := range s.Problems {
		if strings.HasPrefix(problem, "restart pending: ") {
			pending = append(pending, problem)
		}
	}
	return pending, exit
}

// TestRestartPendingContainerd: batten status asks the containerd that runs. Installed and
// not restarted is not safe, whatever the file's time says; a file that was only touched is
// fine; uninstalled and not restarted is said as well.
func TestRestartPendingContainerd(t *testing.T) {
	on(t, all, func(t *testing.T, n *node.Node) {
		wrapped(t, n, n.Runtime())
		flags := []string{"--containerd", n.Config()}
		want := func(when string, pending bool) {
			t.Helper()
			for _, date := range []string{"2020-01-01", "now"} {
				if err := exec.Command("touch", "--date", date, n.Config()).Run(); err != nil {
					t.Fatal(err)
				}
				got, exit := problemsOf(t, n, flags...)
				if (len(got) == 1) != pending || pending && exit != 1 {
					t.Errorf("%s, file of %s: exit %d, restart pending: %q, want %v", when, date, exit, got, pending)
				}
			}
		}
		want("before", false)
		output(t, "install", n.Command("batten", "install", "--containerd", "--config", n.Config(), "--default"))
		want("installed", true)
		pod, err := n.RunPod("", "default", "unfiltered", nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := pod.Seccomp(""); got != "0" {
			t.Errorf("before the restart: Seccomp: %s, want 0", got)
		}
		pod.Remove()
		n.Reload()
		want("restarted", false)
		if s, exit := wholeStatus(t, n, flags...); exit != 0 {
			t.Errorf("restarted: exit %d with %q", exit, s.Problems)
		}
		output(t, "uninstall", n.Command("batten", "uninstall", "--containerd"))
		want("uninstalled", true)
		n.Reload()
		want("uninstalled and restarted", false)
	})
}

// TestRestartPendingDocker: the same of dockerd, which reads its runtimes again at SIGHUP.
func TestRestartPendingDocker(t *testing.T) {
	for _, engine := range []string{"debian", newest} {
		t.Run(engine, func(t *testing.T) {
			n := node.Bare(t, engine)
			wrapped(t, n, n.Runtime())
			stop := n.StartDocker(nil)
			want := func(when string, pending bool) {
				t.Helper()
				got, exit := problemsOf(t, n, "--docker", n.DockerConfig())
				if (len(got) == 1) != pending || pending && exit != 1 {
					t.Errorf("%s: exit %d, restart pending: %q, want %v", when, exit, got, pending)
				}
			}
			want("before", false)
			output(t, "install", n.Command("batten", "install", "--docker", "--default", "--config", n.DockerConfig()))
			want("installed", true)
			stop()
			stop = n.Dockerd()
			want("restarted", false)
			output(t, "uninstall", n.Command("batten", "uninstall", "--docker"))
			want("uninstalled", true)
			stop()
			n.Dockerd()
			want("uninstalled and restarted", false)
		})
	}
}

// TestK3s: a containerd whose program is called k3s is asked what it runs by, wherever its
// configuration is and although no containerd is on PATH.
func TestK3s(t *testing.T) {
	n := node.Start(t, newest)
	wrapped(t, n, n.Runtime())
	output(t, "install", n.Command("batten", "install", "--containerd", "--config", n.Config(), "--default"))
	if err := os.Remove(filepath.Join(n.Bin, "containerd")); err != nil {
		t.Fatal(err)
	}
	n.ReloadAs(t, "k3s")
	s, exit := wholeStatus(t, n)
	seen := 0
	for _, h := range s.Handlers {
		if h.Engine == "containerd" && h.Name == "batten" && h.Batten && h.Default {
			seen++
		}
	}
	if exit != 0 || seen != 1 {
		t.Errorf("exit %d with %q and handlers %v", exit, s.Problems, s.Handlers)
	}
	output(t, "uninstall", n.Command("batten", "uninstall", "--containerd"))
	n.ReloadAs(t, "k3s")
	if s, exit = wholeStatus(t, n); exit != 1 || !strings.Contains(strings.Join(s.Problems, "\n"), "containerd's default, runc, bypasses Batten") {
		t.Errorf("uninstalled: exit %d with %q", exit, s.Problems)
	}
}
