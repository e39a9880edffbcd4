package observe

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/namespaces"
)

var ctx = namespaces.WithNamespace(context.Background(), node.Namespace)

// endless makes denied calls until it is killed.
var endless = []string{"/probe", "many", "keyctl", "1000000000", "4"}

// wantCounted waits until a call was counted so often: at least, if a signal may have had it
// made anew.
func wantCounted(n *node.Node, c *node.Created, call string, least uint64) {
	n.Eventually(patience, "the counts of "+call, func() error {
		if got, err := callsOf(n, c, call); err != nil || got < least {
			return fmt.Errorf("%d of %d (%v)", got, least, err)
		}
		return nil
	})
}

// wantGoesOn waits until more calls are counted than are now.
func wantGoesOn(n *node.Node, c *node.Created) {
	n.Eventually(patience, "the first count", func() error { _, err := callsOf(n, c, "keyctl"); return err })
	now, _ := callsOf(n, c, "keyctl")
	wantCounted(n, c, "keyctl", now+1)
}

// TestInFlight: a container may be paused, checkpointed, killed and deleted while its calls wait
// for their answers.
func TestInFlight(t *testing.T) {
	n := node.Start(t, engine)
	for policy, answer := range answers {
		for name, do := range map[string]func(c *node.Created) error{
			"paused": func(c *node.Created) error {
				for range 5 {
					if err := c.Task.Pause(ctx); err != nil {
						return err
					}
					time.Sleep(20 * time.Millisecond)
					if err := c.Task.Resume(ctx); err != nil {
						return err
					}
				}
				wantGoesOn(n, c)
				wantExec(t, c, answer)
				return nil
			},
			"checkpointed": func(c *node.Created) error {
				_, _ = c.Task.Checkpoint(ctx) // criu may be missing
				wantGoesOn(n, c)
				wantExec(t, c, answer)
				return nil
			},
			"killed": func(c *node.Created) error {
				if err := c.Task.Kill(ctx, syscall.SIGKILL); err != nil {
					return err
				}
				code, err := c.WaitExit()
				if code != 137 {
					t.Errorf("%s: exit status %d", policy, code)
				}
				return err
			},
			"deleted": func(c *node.Created) error {
				_, err := c.Task.Delete(ctx, containerd.WithProcessKill)
				return err
			},
			"deleted while paused": func(c *node.Created) error {
				if err := c.Task.Pause(ctx); err != nil {
					return err
				}
				err := c.Task.Kill(ctx, syscall.SIGKILL, containerd.WithKillAll)
				_ = c.Task.Resume(ctx) // the runtime may have thawed it already
				return err
			},
		} {
			t.Run(policy+" "+name, func(t *testing.T) {
				n.In(t)
				c := start(t, n, policy, node.Run{Args: endless})
				wantGoesOn(n, c)
				pid := int(c.Task.Pid())
				if err := do(c); err != nil {
					t.Error(err)
				}
				c.Remove()
				n.Eventually(patience, "the end of its process", func() error { return node.Gone(pid) })
				wantNothing(n)
			})
		}
	}
}

// TestShimEnds: if the shim is killed, its container ends with it. If it only stands still, calls
// wait, and can be killed.
func TestShimEnds(t *testing.T) {
	for policy, answer := range answers {
		t.Run(policy, func(t *testing.T) {
			n := node.Start(t, engine)
			c := start(t, n, policy, node.Run{Args: endless})
			wantGoesOn(n, c)
			shim, pid := c.ShimPid(), int(c.Task.Pid())

			must(t, syscall.Kill(shim, syscall.SIGSTOP))
			time.Sleep(50 * time.Millisecond)
			must(t, syscall.Kill(shim, syscall.SIGCONT))
			wantGoesOn(n, c)
			wantExec(t, c, answer)

			must(t, syscall.Kill(shim, syscall.SIGKILL))
			n.Eventually(patience, "the container's end", func() error { return node.Gone(pid) })
			c.Remove()
			wantNothing(n)
			c = start(t, n, policy, node.Run{})
			wantExec(t, c, answer)
			c.Remove()

			c = start(t, n, policy, node.Run{Args: endless})
			wantGoesOn(n, c)
			shim, pid = c.ShimPid(), int(c.Task.Pid())
			must(t, syscall.Kill(shim, syscall.SIGSTOP))
			must(t, syscall.Kill(pid, syscall.SIGKILL))
			n.Eventually(patience, "the end of what waits", func() error { return node.Gone(pid) })
			must(t, syscall.Kill(shim, syscall.SIGCONT))
			c.Remove()
			wantNothing(n)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// notifies are the descriptors of a shim by which it is notified.
func notifies(shim int) (fds []string) {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", shim))
	for _, link := range links {
		if to, _ := os.Readlink(link); strings.Contains(to, "seccomp notify") {
			fds = append(fds, filepath.Base(link))
		}
	}
	return fds
}

// TestDescriptorCloses: if the shim has lost a descriptor, what is denied under it goes on being
// denied, with ENOSYS; nobody waits, and other execs have descriptors of their own.
func TestDescriptorCloses(t *testing.T) {
	n := node.Start(t, engine)
	c := start(t, n, "counted", node.Run{Args: []string{"/bin/sh", "-c", "until [ -e /tmp/go ]; do sleep 0.1; done; exec /probe call keyctl getpid -- pause"}})
	n.Eventually(patience, "one descriptor", func() error {
		if fds := notifies(c.ShimPid()); len(fds) != 1 {
			return fmt.Errorf("%q", fds)
		}
		return nil
	})
	fd := notifies(c.ShimPid())[0]
	n.Eventually(patience, "the shim's first thread to wait, and close it", func() error {
		if out, err := n.Command(node.Probe(t), "close", fmt.Sprint(c.ShimPid()), fd).CombinedOutput(); err != nil || string(out) != "close: OK\n" {
			return fmt.Errorf("%s (%v)", out, err)
		}
		return nil
	})
	must(t, os.WriteFile(fmt.Sprintf("/proc/%d/root/tmp/go", c.Task.Pid()), nil, 0o644))
	n.Eventually(patience, "the call", func() error {
		if out := c.Output(); out != "keyctl: ENOSYS\ngetpid: OK\n" {
			return fmt.Errorf("it wrote %q", out)
		}
		return nil
	})
	wantExec(t, c, "EPERM")
	c.Remove()
	wantNothing(n)
}
