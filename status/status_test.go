package status_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/batten-runtime/batten/status"
)

// process is one directory of a /proc.
type process struct {
	pid, parent      int
	exe, cwd, cgroup string
	args             []string
	state            string // S if empty
	seccomp, filters int
	mounts           string // its mount namespace; of its own if empty
}

func proc(t *testing.T, processes ...process) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range processes {
		d := filepath.Join(dir, fmt.Sprint(p.pid))
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
		if p.state == "" {
			p.state = "S (sleeping)"
		}
		for name, text := range map[string]string{
			"status":  fmt.Sprintf("Name:\tx\nState:\t%s\nPPid:\t%d\nSeccomp:\t%d\nSeccomp_filters:\t%d\n", p.state, p.parent, p.seccomp, p.filters),
			"cmdline": strings.Join(append([]string{p.exe}, p.args...), "\x00") + "\x00",
			"cgroup":  "0::/\n5:memory:" + p.cgroup + "\n",
		} {
			if err := os.WriteFile(filepath.Join(d, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if p.mounts == "" {
			p.mounts = fmt.Sprintf("mnt:[%d]", p.pid)
		}
		if err := os.Mkdir(filepath.Join(d, "ns"), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, target := range map[string]string{"exe": p.exe, "cwd": cmp.Or(p.cwd, "/"), "ns/mnt": p.mounts} {
			if err := os.Symlink(target, filepath.Join(d, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "sys"), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

var id = strings.Repeat("0123456789abcdef", 4)

func TestContainers(t *testing.T) {
	shim := process{pid: 10, parent: 1, exe: "/usr/bin/containerd-shim-runc-v2", cwd: "/run/containerd/x/k8s.io/pod", args: []string{"-namespace", "k8s.io", "-id", "pod"}}
	conmon := process{pid: 20, parent: 1, exe: "/usr/bin/conmon", args: []string{"-c", id, "-b", "/bundle"}}
	for _, tt := range []struct {
		name      string
		processes []process
		want      string // id, pid, seccomp of each
	}{
		{"systemd's names", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/kubepods.slice/cri-containerd-" + id + ".scope", seccomp: 2, filters: 1}}, "k8s.io/" + id + " 11 2"},
		{"cgroupfs", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/kubepods/pod1/" + id}}, "k8s.io/" + id + " 11 0"},
		{"ctr's names", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/default/mine"}}, "k8s.io/mine 11 0"},
		{"conmon", []process{conmon, {pid: 21, parent: 20, exe: "/a", cgroup: "/libpod-" + id + "/container"}}, "/" + id + " 21 0"},
		{"a child of the first", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/d/c", seccomp: 2}, {pid: 12, parent: 11, exe: "/b", cgroup: "/d/c", seccomp: 2}}, "k8s.io/c 11 2"},
		{"an exec with less", []process{shim, {pid: 11, parent: 10, exe: "/a", cgroup: "/d/c", seccomp: 2}, {pid: 12, parent: 10, exe: "/b", cgroup: "/d/c"}}, "k8s.io/c 12 0"},
		{"runc on its way", []process{shim, {pid: 11, parent: 10, exe: "/usr/sbin/runc", cgroup: "/d/c", mounts: "mnt:[10]"}}, ""},
		{"a container's runc", []process{shim, {pid: 11, parent: 10, exe: "/usr/sbin/runc", cgroup: "/d/c"}}, "k8s.io/c 11 0"},
		{"a container's shim", []process{shim, {pid: 11, parent: 10, exe: "/containerd-shim", cgroup: "/d/c"}}, "k8s.io/c 11 0"},
		{"a zombie", []process{shim, {pid: 11, parent: 10, exe: "/a", state: "Z (zombie)", cgroup: "/d/c"}}, ""},
		{"nobody's", []process{{pid: 11, parent: 1, exe: "/a", cgroup: "/d/c"}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			processes, err := status.Processes(proc(t, tt.processes...))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range status.Containers(processes, nil) {
				got = append(got, fmt.Sprintf("%s/%s %d %d", c.ContainerdNamespace, c.ID, c.Pid, c.Seccomp))
			}
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	builtin, findings := policy.Parse(policy.BuiltinPath, []byte(policy.Builtin), nil)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	filtered := &enforce.Record{ID: "c", Result: "abc", Reason: "why.", Attestation: enforce.Attestation{State: enforce.Filtered, Filters: 2}}
	unconfined := &enforce.Record{ID: "c", Result: enforce.None, Reason: "why."}
	for _, tt := range []struct {
		name             string
		rec              *enforce.Record
		policy           *policy.Policy
		seccomp, filters int
		safe             bool
		want             string
	}{
		{"as recorded", filtered, builtin, 2, 2, true, "as its record says: why."},
		{"unfiltered", filtered, builtin, 0, 0, false, "runs unfiltered, and its record says otherwise: why."},
		{"one filter less", filtered, builtin, 2, 1, false, "a process of it has fewer filters than its first one had"},
		{"an old kernel", filtered, builtin, 2, -1, true, "as its record says: why."},
		{"allowed to be unfiltered", unconfined, builtin, 0, 0, true, "as its record says: why."},
		{"no seccomp", filtered, builtin, -1, -1, false, "the kernel does not tell: it is built without seccomp"},
		{"a stranger", nil, builtin, 0, 0, false, "went round Batten; runs unfiltered, and the policy would not have it: it asks for no seccomp filter, and the policy's top level says absent: RuntimeDefault"},
		{"a filtered stranger", nil, builtin, 2, 1, true, "went round Batten; the policy would have left it as it is: it brings a seccomp filter, and the policy's top level says present: Keep"},
		{"no policy", nil, nil, 2, 1, false, "went round Batten; there is no policy that can be read"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := status.Container{ID: "c", Seccomp: tt.seccomp, Filters: tt.filters, Record: tt.rec}
			if c.Judge(tt.policy); c.Safe != tt.safe || c.Verdict != tt.want {
				t.Errorf("safe %v, %s\nwant %v, %s", c.Safe, c.Verdict, tt.safe, tt.want)
			}
		})
	}
}

// This machine's own /proc can be read whole.
func TestProcesses(t *testing.T) {
	all, err := status.Processes("/proc")
	if err != nil || len(all) == 0 {
		t.Fatalf("%d processes, %v", len(all), err)
	}
	if self, ok := all[os.Getpid()]; !ok || self.Parent != os.Getppid() || self.Seccomp < 0 {
		t.Errorf("self: %+v among %v", self, slices.Sorted(maps.Keys(all)))
	}
}

func Example() {
	processes := map[int]status.Process{
		10: {Pid: 10, Parent: 1, Name: "containerd-shim-runc-v2", Args: []string{"", "-namespace", "default"}},
		11: {Pid: 11, Parent: 10, Name: "nginx", Cgroup: "/default/web"},
	}
	for _, c := range status.Containers(processes, nil) {
		c.Judge(nil)
		fmt.Println(c.ID, c.Seccomp, c.Verdict)
	}
	// Output:
	// web 0 went round Batten; there is no policy that can be read
}
