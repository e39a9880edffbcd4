package node

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/containerd/containerd/v2/pkg/namespaces"
)

// end removes what the test made, then the node. What containers left behind
// after they were deleted in an orderly way fails the test.
func (n *Node) end() {
	if n.Client != nil && n.daemon != nil {
		n.RemoveContainers()
		if !n.leftovers {
			n.checkNothingLeft()
		}
		n.Client.Close()
	}
	if n.t.Failed() {
		n.t.Logf("the node's log ends:\n%s", n.logTail())
	}
	n.stop(syscall.SIGTERM)
	if n.anchor != nil {
		// Whatever else is in the mount namespace is ours: it is private.
		for _, pid := range n.Processes() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		_ = n.anchor.Wait()
	}
	n.removeCgroups()
	n.log.Close()
	if err := os.RemoveAll(n.Dir); err != nil {
		n.t.Errorf("removing the node: %v", err)
	}
}

// RemoveContainers kills and deletes every container of every containerd
// namespace.
func (n *Node) RemoveContainers() {
	ctx := context.Background()
	names, err := n.Client.NamespaceService().List(ctx)
	if err != nil {
		n.t.Errorf("listing namespaces: %v", err)
		return
	}
	for _, name := range names {
		ctx := namespaces.WithNamespace(ctx, name)
		containers, err := n.Client.Containers(ctx)
		if err != nil {
			n.t.Errorf("listing containers: %v", err)
		}
		for _, c := range containers {
			n.removeContainer(ctx, c)
		}
	}
}

// Processes are those in the node's mount namespace, but for the anchor's and
// the daemon's children that have a mount namespace of their own.
func (n *Node) Processes() []int {
	own, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", n.anchor.Process.Pid))
	if err != nil {
		return nil
	}
	links, _ := filepath.Glob("/proc/[0-9]*/ns/mnt")
	var pids []int
	for _, link := range links {
		if ns, err := os.Readlink(link); err == nil && ns == own {
			pid, _ := strconv.Atoi(strings.Split(link, "/")[2])
			pids = append(pids, pid)
		}
	}
	return pids
}

// Others are the node's processes besides what keeps its namespaces and the daemon:
// shims, and what tests started.
func (n *Node) Others() []int {
	return slices.DeleteFunc(n.Processes(), func(pid int) bool {
		return pid == n.anchor.Process.Pid || n.daemon != nil && pid == n.daemon.Process.Pid
	})
}

// Gone is an error as long as a process is there, other than as a zombie.
func Gone(pid int) error {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil || strings.Contains(string(data), ") Z ") {
		return nil
	}
	return fmt.Errorf("process %d: %s", pid, data)
}

// checkNothingLeft looks for shims, mounts, records, cgroups and network
// namespaces that outlived the last container.
func (n *Node) checkNothingLeft() {
	var left []string
	for range 100 {
		if left = n.left(); len(left) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	n.t.Errorf("left behind after all containers were deleted:\n%s", strings.Join(left, "\n"))
}

// left lists them. Sockets below /run/containerd/s do not count: containerd's shim leaves them
// when it is killed or serves a group, with or without Batten.
func (n *Node) left() []string {
	var left []string
	for _, pid := range n.Others() {
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		left = append(left, fmt.Sprintf("process %d: %q", pid, cmdline))
	}
	for _, glob := range []string{"/run/batten/*/*", "/run/netns/*", "/run/containerd/io.containerd.runtime.v2.task/*/*", "/run/containerd/runc/*/*"} {
		paths, _ := filepath.Glob(n.Path(glob))
		left = append(left, slices.DeleteFunc(paths, func(path string) bool {
			// These are kept until the next boot: what filters were found to be, which were put
			// on running processes, what was computed of profiles, and crun's filters.
			return strings.HasPrefix(path, n.Path("/run/batten/compared/")) || strings.HasPrefix(path, n.Path("/run/batten/tightened/")) || strings.HasPrefix(path, n.Path("/run/batten/computed/")) || filepath.Base(path) == ".cache"
		})...)
	}
	mounts, _ := os.ReadFile(fmt.Sprintf("/proc/%d/mounts", n.anchor.Process.Pid))
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, "/rootfs ") || strings.Contains(line, "/shm ") && strings.Contains(line, "sandboxes") {
			left = append(left, "mount "+line)
		}
	}
	// Cgroups are made below a parent that carries the node's name.
	cgroups, _ := filepath.Glob("/sys/fs/cgroup/*/" + filepath.Base(n.Dir) + "/*")
	for _, path := range cgroups {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			left = append(left, "cgroup "+path)
		}
	}
	return left
}

// endProcesses kills what is still in a cgroup of the node's: containers that the
// test, or a shim that was killed, did not end.
func endProcesses(cgroup string) {
	for range 50 {
		data, _ := os.ReadFile(filepath.Join(cgroup, "cgroup.procs"))
		if len(data) == 0 {
			return
		}
		for _, field := range strings.Fields(string(data)) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 1 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// removeCgroups removes the parents that containers' cgroups were made below, and
// what engines leave in them: conmon's cgroup, BuildKit's.
func (n *Node) removeCgroups() {
	parents, _ := filepath.Glob("/sys/fs/cgroup/*/" + filepath.Base(n.Dir))
	for _, parent := range append(parents, "/sys/fs/cgroup/"+filepath.Base(n.Dir)) {
		for _, dir := range Cgroups(parent) {
			endProcesses(dir)
			if err := os.Remove(dir); err != nil {
				n.t.Errorf("left behind: %v", err)
			}
		}
	}
}

// Cgroups are the directories of a cgroup and those below it, the deepest first.
func Cgroups(top string) (dirs []string) {
	_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	slices.Reverse(dirs)
	return dirs
}
