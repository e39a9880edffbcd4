package observe

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// TestFailures: where a container or an exec cannot be made, nothing is left of its listener, in
// the shim of a pod neither.
func TestFailures(t *testing.T) {
	n := node.Start(t, engine)
	group := oci.WithAnnotations(map[string]string{"io.containerd.runc.v2.group": "pod"})
	pod := start(t, n, "counted", node.Run{Spec: []oci.SpecOpts{group}})
	wantExec(t, pod, "EPERM")
	wantCounted(n, pod, "keyctl", 1)
	shim := pod.ShimPid()
	wantAsBefore := func(what string, open, files string) {
		t.Helper()
		n.Eventually(patience, what+" to leave nothing", func() error {
			if now, have := opened(shim), besides(n); now != open || have != files {
				return fmt.Errorf("open %s, was %s; files %s, were %s", now, open, have, files)
			}
			return nil
		})
	}
	n.Eventually(patience, "the exec's descriptor to be closed", func() error {
		if fds := notifies(shim); len(fds) != 1 {
			return fmt.Errorf("%q", fds)
		}
		return nil
	})
	before, files := opened(shim), besides(n)
	for what, run := range map[string]node.Run{
		"a missing program": {Args: []string{"/nowhere"}, Spec: []oci.SpecOpts{group}},
		"a missing mount":   {Spec: []oci.SpecOpts{group, oci.WithMounts([]specs.Mount{{Source: "/nowhere", Destination: "/mnt", Type: "bind", Options: []string{"bind"}}})}},
		"a missing runtime": {Spec: []oci.SpecOpts{group}, Options: &options.Options{BinaryName: "/nowhere"}},
		"a refused profile": {Spec: []oci.SpecOpts{group, node.WithSeccomp(&specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow, Flags: []specs.LinuxSeccompFlag{"SECCOMP_FILTER_FLAG_UNKNOWN"},
			Syscalls: []specs.LinuxSyscall{{Names: []string{"keyctl"}, Action: specs.ActErrno}},
		})}},
	} {
		for range 5 {
			run.Runtime = node.Batten
			c, err := n.Start(run)
			if err == nil {
				t.Errorf("%s: it starts", what)
			}
			if c != nil {
				c.Remove()
			}
		}
		wantAsBefore(what, before, files)
	}
	for range 5 {
		if out, err := pod.Exec("/nowhere"); err == nil {
			t.Errorf("an exec of a missing program: %s", out)
		}
	}
	wantAsBefore("execs", before, files)
	member := start(t, n, "counted", node.Run{Spec: []oci.SpecOpts{group}, Args: []string{"/probe", "call", "keyctl", "--", "pause"}})
	wantCounted(n, member, "keyctl", 1)
	if member.ShimPid() != shim {
		t.Error("the group has another shim")
	}
	member.Remove()
	wantAsBefore("a member", before, files)
	wantExec(t, pod, "EPERM")
	wantCounted(n, pod, "keyctl", 2)
	pod.Remove()
	wantNothing(n)
}

// opened is what a shim has open of the kinds that a listener has.
func opened(shim int) string {
	count := make(map[string]int)
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", shim))
	for _, link := range links {
		to, _ := os.Readlink(link)
		if kind, _, _ := strings.Cut(to, ":"); kind == "socket" {
			to = kind
		}
		if slices.Contains([]string{"socket", "anon_inode:[eventfd]", "anon_inode:[eventpoll]", "anon_inode:seccomp notify"}, to) {
			count[to]++
		}
	}
	return fmt.Sprint(count)
}

// besides are the files beside the records.
func besides(n *node.Node) string {
	files, _ := filepath.Glob(n.Path("/run/batten/" + node.Namespace + "/*"))
	return fmt.Sprint(files)
}

// TestDaemonRestarts: containers that run are counted on, and take execs.
func TestDaemonRestarts(t *testing.T) {
	n := node.Start(t, engine)
	for policy, answer := range answers {
		c := start(t, n, policy, node.Run{})
		wantExec(t, c, answer)
		wantCounted(n, c, "keyctl", 1)
		n.KillDaemon()
		n.StartDaemon()
		must(t, c.Reload())
		wantExec(t, c, answer)
		wantCounted(n, c, "keyctl", 2)
		n.Restart()
		must(t, c.Reload())
		wantExec(t, c, answer)
		wantCounted(n, c, "keyctl", 3)
		c.Remove()
		wantNothing(n)
	}
}
