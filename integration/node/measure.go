package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/containerd/v2/pkg/cio"
)

// NewContainer makes a container and its snapshot, but no task; Begin does.
func (n *Node) NewContainer(run Run) (*Created, error) {
	c, container, err := n.newContainer(run)
	if err == nil {
		c.container = container
	}
	return c, err
}

// Begin creates and starts the task of NewContainer's container, without I/O.
func (c *Created) Begin() (err error) {
	if c.Task, err = c.container.NewTask(c.ctx, cio.NullIO); err != nil {
		return err
	}
	return c.Task.Start(c.ctx)
}

// ShimPid is the shim's process. There being none fails the test.
func (c *Created) ShimPid() int {
	c.node.t.Helper()
	pid := ShimOf(int(c.Task.Pid()))
	if pid == 0 {
		c.node.t.Fatalf("container %s has no shim", c.ID)
	}
	return pid
}

// ShimOf is the shim whose child a process is, 0 where it has none: a process whose
// shim has ended is init's.
func ShimOf(pid int) int {
	parent := Parent(pid)
	if comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", parent)); string(comm) != "containerd-shim\n" {
		return 0
	}
	return parent
}

// Parent is the parent of a process, 0 where there is none.
func Parent(pid int) (ppid int) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	_, _ = fmt.Sscanf(rest, "%c %d", new(rune), &ppid)
	return ppid
}

// PrivateDirty is a process's private dirty memory in KiB.
func PrivateDirty(pid int) (kib int, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(data), "Private_Dirty:")
	_, err = fmt.Sscan(rest, &kib)
	return kib, err
}

// StockShim is an engine's own shim.
func StockShim(engine string) string { return engines[engine].tool("containerd-shim-runc-v2") }

// CrunHere is a command that runs Debian's crun on this machine: crun refuses
// hybrid cgroups, so it sees none of the unified mount, and finds the
// libraries that were unpacked beside it.
func CrunHere(t T, n *Node) string {
	t.Helper()
	path := filepath.Join(n.Dir, "crun-here")
	text := "#!/bin/sh\nexport LD_LIBRARY_PATH=" + filepath.Join(Cache(), "debian/usr/lib/x86_64-linux-gnu") +
		"\nexec unshare -m sh -c 'umount /sys/fs/cgroup/unified 2>/dev/null; exec \"$0\" \"$@\"' " +
		filepath.Join(Cache(), "debian/usr/bin/crun") + " \"$@\"\n"
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// CachingCrunHere is the same for Debian 13's crun, which keeps the filters that it
// compiles below its root. Its libraries are newer than this machine's, and so is the
// linker that loads them.
func CachingCrunHere(t T, n *Node) string {
	t.Helper()
	path, usr := filepath.Join(n.Dir, "caching-crun-here"), filepath.Join(Cache(), "debian-13/usr")
	text := "#!/bin/sh\nexec unshare -m sh -c 'umount /sys/fs/cgroup/unified 2>/dev/null; exec \"$0\" \"$@\"' " +
		filepath.Join(usr, "lib64/ld-linux-x86-64.so.2") + " --library-path " + filepath.Join(usr, "lib/x86_64-linux-gnu") + " " +
		filepath.Join(usr, "bin/crun") + " \"$@\"\n"
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
