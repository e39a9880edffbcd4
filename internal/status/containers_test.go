package status_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/status"
)

// find returns what Find makes of processes: id, pid, seccomp and whether there is a
// record, of each container; then the pids of the others.
func find(t *testing.T, records []*record.Record, processes ...process) string {
	t.Helper()
	all, err := procfs.All(proc(t, processes...))
	if err != nil {
		t.Fatal(err)
	}
	found := status.Find(all, records)
	var out []string
	for _, c := range found.Containers {
		text := fmt.Sprintf("%s/%s %d %d", c.ContainerdNamespace, c.ID, c.Pid, c.Seccomp)
		if c.Record != nil {
			text += " recorded"
		}
		out = append(out, text)
	}
	for _, p := range found.Others {
		out = append(out, fmt.Sprintf("other %d", p.Pid))
	}
	return strings.Join(out, ", ")
}

func TestFind(t *testing.T) {
	host := procfs.HostPidNamespace
	shim := process{pid: 10, parent: 1, exe: "/usr/bin/containerd-shim-runc-v2", cwd: "/run/containerd/x/k8s.io/pod", args: []string{"-namespace", "k8s.io", "-id", "pod"}, mounts: hostMounts, pids: host}
	conmon := process{pid: 20, parent: 1, exe: "/usr/bin/conmon", args: []string{"-c", id, "-b", "/bundle"}, mounts: hostMounts, pids: host}
	rust := process{pid: 20, parent: 1, exe: "/usr/bin/conmonrs", mounts: hostMounts, pids: host}
	service := process{pid: 30, parent: 1, exe: "/usr/sbin/named", cgroup: "/system.slice/named.service", pids: host}
	for _, tt := range []struct {
		name      string
		processes []process
		want      string
	}{
		{"systemd's names", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/kubepods.slice/cri-containerd-" + id + ".scope", seccomp: 2, filters: 1}}, "k8s.io/" + id + " 11 2"},
		{"cgroupfs", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/kubepods/pod1/" + id}}, "k8s.io/" + id + " 11 0"},
		{"ctr's names", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/default/mine"}}, "k8s.io/mine 11 0"},
		{"conmon", []process{conmon, {pid: 21, parent: 20, exe: "/a", cgroup: "/libpod-" + id + "/container"}}, "/" + id + " 21 0"},
		{"conmon-rs", []process{rust, {pid: 21, parent: 20, exe: "/a", cgroup: "/crio-" + id}}, "/" + id + " 21 0"},
		{"a child of the first", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/d/c", seccomp: 2}, {pid: 12, parent: 11, exe: "/b", cgroup: "/d/c", seccomp: 2}}, "k8s.io/c 11 2"},
		{"a child with less", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/d/c", seccomp: 2}, {pid: 12, parent: 11, exe: "/b", cgroup: "/d/c"}}, "k8s.io/c 12 0"},
		{"a thread with less", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/d/c", seccomp: 2, threads: []int{2, 0}}}, "k8s.io/c 11 0"},
		{"its first thread has ended", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/d/c", state: "Z (zombie)", seccomp: 2, threads: []int{0}}}, "k8s.io/c 11 0"},
		{"an exec with less", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/d/c", seccomp: 2, mounts: "mnt:[11]", pids: "pid:[11]"}, {pid: 12, parent: 10, exe: "/b", cgroup: "/d/c", mounts: "mnt:[11]", pids: "pid:[11]"}}, "k8s.io/c 12 0"},
		{"runc on its way", []process{shim, {pid: 11, parent: 10, exe: "/usr/sbin/runc", mounts: hostMounts, pids: host}}, ""},
		{"without a mount namespace", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/d/c", mounts: hostMounts, pids: host}}, "k8s.io/c 11 0"},
		{"a container's runc", []process{shim, {pid: 11, parent: 10, exe: "/usr/sbin/runc", cgroup: "/d/c"}}, "k8s.io/c 11 0"},
		{"a container's shim", []process{shim, {pid: 11, parent: 10, exe: "/containerd-shim", cgroup: "/d/c"}, {pid: 12, parent: 11, exe: "/a", cgroup: "/d/c/x"}}, "k8s.io/c 11 0"},
		{"a zombie", []process{shim, {pid: 11, parent: 10, exe: "/a", state: "Z (zombie)", cgroup: "/d/c"}}, ""},
		{"a daemon", []process{{pid: 11, parent: 1, exe: "/a", cgroup: "/d/c", mounts: hostMounts, pids: host}}, ""},
		{"runc run", []process{{pid: 10, parent: 1, exe: "/usr/sbin/runc", mounts: hostMounts, pids: host}, {pid: 11, parent: 10, exe: "/a", cgroup: "/c", root: "0:50 /"}}, "/c 11 0"},
		{"BuildKit, with the node's pid namespace", []process{{pid: 10, parent: 1, exe: "/usr/bin/buildkitd", mounts: hostMounts, pids: host, cgroup: "/system.slice/buildkit.service"}, {pid: 11, parent: 10, exe: "/a", cgroup: "/buildkit/x", root: "0:50 /", pids: host}}, "/x 11 0"},
		{"a detached one, and an exec of it", []process{
			{pid: 11, parent: 1, exe: "/a", cgroup: "/c", root: "0:50 /", mounts: "mnt:[11]", pids: "pid:[11]", seccomp: 2},
			{pid: 12, parent: 1, exe: "/a", cgroup: "/c", root: "0:50 /", mounts: "mnt:[11]", pids: "pid:[11]"},
		}, "/c 12 0"},
		{"unshare, which has made the mounts in itself", []process{
			{pid: 9, parent: 1, exe: "/bin/sh", cgroup: "/u", mounts: hostMounts, pids: host},
			{pid: 10, parent: 9, exe: "/usr/bin/unshare", cgroup: "/u", root: "0:50 /", mounts: "mnt:[11]", pids: host},
			{pid: 11, parent: 10, exe: "/a", cgroup: "/u", root: "0:50 /", mounts: "mnt:[11]", pids: "pid:[11]"},
		}, "/u 11 0, other 10"},
		{"a service with mounts of its own", []process{service}, "other 30"},
		{"a browser's sandbox", []process{{pid: 40, parent: 1, exe: "/usr/bin/chrome", mounts: hostMounts}}, "other 40"},
		{"a portable service", []process{{pid: 30, parent: 1, exe: "/a", cgroup: "/system.slice/p.service", pids: host, root: "7:1 /"}}, "other 30"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := find(t, nil, tt.processes...); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A record is of one process and of what shares its namespaces, and of nothing that
// merely has the same id or cgroup.
func TestFindRecords(t *testing.T) {
	rec := &record.Record{ID: "c", ContainerdNamespace: "k8s.io", Pid: 11, StartTime: 7}
	host := procfs.HostPidNamespace
	shim := process{pid: 10, parent: 1, exe: "/containerd-shim-batten-v2", cwd: "/x/k8s.io/c", args: []string{"-namespace", "k8s.io"}, mounts: hostMounts, pids: host}
	other := process{pid: 20, parent: 1, exe: "/containerd-shim-runc-v2", cwd: "/x/moby/c", args: []string{"-namespace", "moby"}, mounts: hostMounts, pids: host}
	first := process{pid: 11, parent: 10, exe: "/a", cgroup: "/pod/c", seccomp: 2, start: 7, mounts: "mnt:[11]", pids: "pid:[11]"}
	for _, tt := range []struct {
		name      string
		processes []process
		want      string
	}{
		{"its first process", []process{shim, first}, "k8s.io/c 11 2 recorded"},
		{"another process with its number", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/pod/c", start: 8}}, "k8s.io/c 11 0"},
		{"batten-runc run in the foreground", []process{{pid: 10, parent: 1, exe: "/runc", mounts: hostMounts, pids: host}, first}, "k8s.io/c 11 2 recorded"},
		{"an exec", []process{shim, first, {pid: 12, parent: 10, exe: "/b", cgroup: "/pod/c", mounts: "mnt:[11]", pids: "pid:[11]"}}, "k8s.io/c 12 0 recorded"},
		{"an exec that has left for namespaces of its own", []process{shim, first, {pid: 12, parent: 10, exe: "/b", cgroup: "/pod/c/x"}}, "k8s.io/c 12 0 recorded"},
		{"the same id in another containerd namespace", []process{shim, first, other, {pid: 21, parent: 20, exe: "/a", cgroup: "/other/c"}}, "k8s.io/c 11 2 recorded, moby/c 21 0"},
		{"one that moved into its cgroup", []process{shim, first, other, {pid: 21, parent: 20, exe: "/a", cgroup: "/pod/c"}}, "k8s.io/c 11 2 recorded, moby/c 21 0"},
		{"one that joined its pid namespace alone", []process{shim, first, other, {pid: 21, parent: 20, exe: "/a", cgroup: "/pod/d", pids: "pid:[11]"}}, "k8s.io/c 11 2 recorded, moby/d 21 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := find(t, []*record.Record{rec}, tt.processes...); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A container's process that calls itself containerd is not among the host's.
func TestFindHost(t *testing.T) {
	host := procfs.HostPidNamespace
	all, err := procfs.All(proc(t, process{pid: 9, parent: 1, exe: "/usr/bin/containerd", mounts: "mnt:[9]", pids: host},
		process{pid: 10, parent: 1, exe: "/containerd-shim-runc-v2", mounts: hostMounts, pids: host},
		process{pid: 11, parent: 10, exe: "/usr/bin/containerd"}, process{pid: 12, parent: 11, exe: "/usr/bin/containerd"}))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(status.Find(all, nil).Host)), []int{1, 9, 10}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A container of a shim is named by the bundle that holds its pid, not by a cgroup that
// it can choose.
func TestFindBundle(t *testing.T) {
	bundles := filepath.Join(t.TempDir(), "k8s.io")
	for name, pid := range map[string]string{"victim": "99", "mine": "11"} {
		write(t, filepath.Join(bundles, name, "init.pid"), pid)
	}
	shim := process{pid: 10, parent: 1, exe: "/containerd-shim-runc-v2", cwd: filepath.Join(bundles, "victim"), args: []string{"-namespace", "k8s.io"}, mounts: hostMounts, pids: procfs.HostPidNamespace}
	got := find(t, nil, shim, process{pid: 11, parent: 10, exe: "/a", cgroup: "/pod/victim"})
	if want := "k8s.io/mine 11 0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
