package observe

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/denials"
)

// listeners are the processes of batten-runc that listen.
func listeners(n *node.Node) (pids []int) {
	for _, pid := range n.Processes() {
		if text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); strings.Contains(string(text), "\x00--batten-") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// wantListeners waits for a number of them.
func wantListeners(n *node.Node, want int) (pids []int) {
	n.Eventually(20*time.Second, fmt.Sprintf("%d listeners", want), func() error {
		if pids = listeners(n); len(pids) != want {
			return fmt.Errorf("%v", pids)
		}
		return nil
	})
	return pids
}

// wantNoListener fails the test if something of a container is left.
func wantNoListener(t *testing.T, n *node.Node) {
	t.Helper()
	if err := noListener(n); err != nil {
		t.Error(err)
	}
}

// noListener is an error if a listener is left, or files of a container.
func noListener(n *node.Node) error {
	var left []string
	for _, glob := range []string{"/run/batten/@*/*", "/run/batten/test/*", "/run/batten/moby/*"} {
		paths, _ := filepath.Glob(n.Path(glob))
		left = append(left, paths...)
	}
	if pids := listeners(n); len(left) > 0 || len(pids) > 0 {
		return fmt.Errorf("left: %q, processes %v", left, pids)
	}
	return nil
}

// wantCounts waits until the only container's counts are as wanted, without the calls that
// runc itself makes under the filter: 1.5 tries open_tree there.
func wantCounts(t *testing.T, n *node.Node, want ...string) {
	t.Helper()
	slices.Sort(want)
	n.Eventually(20*time.Second, "the counts", func() error {
		all, err := denials.Store{Dir: n.Path("/run/batten")}.List()
		if err != nil || len(all) != 1 {
			return fmt.Errorf("%d files (%w)", len(all), err)
		}
		var got []string
		for _, d := range all[0].Denials {
			if strings.HasPrefix(d.Sample.Comm, "runc:") {
				continue
			}
			got = append(got, fmt.Sprintf("%s %d", d.Syscall, d.Count))
		}
		if slices.Sort(got); !slices.Equal(got, want) || all[0].Broken != "" {
			return fmt.Errorf("%q, want %q; broken: %s", got, want, all[0].Broken)
		}
		return nil
	})
}

// TestWrapperLife: a listener of batten-runc lives as long as its container, which is made and
// started by different calls, some time apart; it counts its calls and those of execs.
func TestWrapperLife(t *testing.T) {
	n := node.Bare(t, "debian")
	setPolicy(t, n, policies["counted"])
	for name, runtime := range runtimes(n) {
		t.Run(name, func(t *testing.T) {
			n.In(t)
			c := &called{Node: n, t: t, id: name, runtime: runtime}
			c.must("create", "--bundle", c.bundle("/bin/sh", "-c", "/probe call keyctl; exec /probe pause"), "--pid-file", filepath.Join(n.Dir, name+".pid"), c.id)
			pid := wantListeners(n, 1)[0]
			checkProcess(t, n, pid)
			time.Sleep(11 * time.Second) // longer than a runtime may take for its message
			c.must("start", c.id)
			wantCounts(t, n, "keyctl 1")
			for range 3 {
				if out := c.must("exec", c.id, "/probe", "call", "keyctl", "unshare"); out != "keyctl: EPERM\nunshare: EPERM\n" {
					t.Errorf("an exec wrote %s", out)
				}
			}
			wantCounts(t, n, "keyctl 4", "unshare 3")
			if got := listeners(n); !slices.Equal(got, []int{pid}) {
				t.Errorf("the listeners are %v, and were %d", got, pid)
			}
			kib, err := node.PrivateDirty(pid)
			t.Logf("private dirty memory of the listener: %d KiB (%v)", kib, err)
			c.must("delete", "--force", c.id)
			wantNoListener(t, n)
		})
	}
}

// checkProcess: a listener is in a session of its own, child of neither batten-runc nor
// the runtime, and has no descriptor of the caller's.
func checkProcess(t *testing.T, n *node.Node, pid int) {
	t.Helper()
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		to, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name()))
		if to != "/dev/null" && !strings.HasPrefix(to, "socket:") && !strings.HasPrefix(to, "anon_inode:") {
			t.Errorf("it has %s open as %s", to, fd.Name())
		}
	}
	if session, _ := syscall.Getpgid(pid); session != pid {
		t.Errorf("its group is %d, want its own, %d", session, pid)
	}
	if cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); cwd != n.Path("/") && cwd != "/" {
		t.Errorf("its working directory is %s", cwd)
	}
}

// TestWrapperFails: a container that is not made leaves no listener.
func TestWrapperFails(t *testing.T) {
	n := node.Bare(t, "debian")
	setPolicy(t, n, policies["counted"])
	for name, runtime := range runtimes(n) {
		t.Run(name, func(t *testing.T) {
			n.In(t)
			c := &called{Node: n, t: t, id: name, runtime: runtime}
			for _, command := range []string{"create", "run"} {
				if out, err := c.call(command, "--bundle", c.bundle("/no/program"), c.id); err == nil {
					t.Fatalf("%s made a container: %s", command, out)
				}
				wantListeners(n, 0)
				if left, _ := filepath.Glob(n.Path("/run/batten/@*/*.sock")); len(left) > 0 {
					t.Errorf("%s left %q", command, left)
				}
				_, _ = c.call("delete", "--force", c.id)
			}
			// Beside it, a job that ends, and that nobody deletes.
			if out := c.must("run", "--bundle", c.bundle("/probe", "call", "keyctl"), "--pid-file", filepath.Join(n.Dir, name+".pid"), c.id); out != "keyctl: EPERM\n" {
				t.Errorf("it wrote %s", out)
			}
			wantListeners(n, 0)
			wantCounts(t, n, "keyctl 1")
			_, _ = c.call("delete", "--force", c.id)
			wantNoListener(t, n)
		})
	}
}

// TestWrapperListenerKilled: without its listener a container is denied what it was denied,
// with ENOSYS, and gets no exec.
func TestWrapperListenerKilled(t *testing.T) {
	n := node.Bare(t, "debian")
	setPolicy(t, n, policies["counted"])
	for name, runtime := range runtimes(n) {
		t.Run(name, func(t *testing.T) {
			n.In(t)
			c := &called{Node: n, t: t, id: name, runtime: runtime}
			bundle := c.bundle("/bin/sh", "-c", "/probe call keyctl getpid; while ! test -e /dev/go; do sleep 0.1; done; /probe call keyctl getpid >/dev/said; exec /probe pause")
			pidFile := filepath.Join(n.Dir, name+".pid")
			c.must("run", "--detach", "--bundle", bundle, "--pid-file", pidFile, c.id)
			wantCounts(t, n, "keyctl 1")
			pid := wantListeners(n, 1)[0]
			// A signal that everybody gets, as at a shutdown, does not end it.
			if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if out := c.must("exec", c.id, "/probe", "call", "keyctl", "getpid"); out != "keyctl: EPERM\ngetpid: OK\n" {
				t.Errorf("an exec wrote %s", out)
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			wantListeners(n, 0)
			if out, err := c.call("exec", c.id, "/probe", "call", "keyctl"); err == nil {
				t.Errorf("an exec ran and wrote %s", out)
			}
			text, err := os.ReadFile(pidFile)
			if err != nil {
				t.Fatal(err)
			}
			first, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			dev := fmt.Sprintf("/proc/%d/root/dev/", first)
			if err := os.WriteFile(dev+"go", nil, 0o644); err != nil {
				t.Fatal(err)
			}
			n.Eventually(20*time.Second, "what the container says", func() error {
				if said, err := os.ReadFile(dev + "said"); err != nil || string(said) != "keyctl: ENOSYS\ngetpid: OK\n" {
					return fmt.Errorf("%q (%w)", said, err)
				}
				return nil
			})
			counts, err := denials.Store{Dir: n.Path("/run/batten")}.List()
			if err != nil || len(counts) != 1 {
				t.Fatalf("%d files (%v)", len(counts), err)
			}
			if want := "the listener has ended; what the profile denies fails with ENOSYS there"; counts[0].Broken != want {
				t.Errorf("broken: %q, want %q", counts[0].Broken, want)
			}
			c.must("delete", "--force", c.id)
			wantNoListener(t, n)
		})
	}
}
