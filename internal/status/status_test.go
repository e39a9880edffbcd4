package status_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/shim/enforce"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// process is one directory of a /proc. Namespaces are its own if empty.
type process struct {
	pid, parent      int
	exe, cwd, cgroup string
	args             []string
	state            string // S if empty
	seccomp, filters int
	mounts, pids     string
	root             string // the host's if empty
	threads          []int  // the seccomp modes of its other threads
	start            int
}

const hostMounts, hostRoot = "mnt:[1]", "8:1 /"

// init1 is the host's first process.
var init1 = process{pid: 1, exe: "/sbin/init", mounts: hostMounts, pids: procfs.HostPidNamespace}

func proc(t *testing.T, processes ...process) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range append([]process{init1}, processes...) {
		d := filepath.Join(dir, fmt.Sprint(p.pid))
		p.state = cmp.Or(p.state, "S (sleeping)")
		files := map[string]string{
			"status":    statusText(p.state, p.parent, 1+len(p.threads), p.seccomp, p.filters),
			"stat":      fmt.Sprintf("%d (x) S%s %d\n", p.pid, strings.Repeat(" 0", 18), p.start),
			"cmdline":   strings.Join(append([]string{p.exe}, p.args...), "\x00") + "\x00",
			"cgroup":    "0::/\n5:memory:" + p.cgroup + "\n",
			"mountinfo": "36 35 " + cmp.Or(p.root, hostRoot) + " / rw - ext4 /dev/x rw\n",
		}
		for k, mode := range p.threads {
			files[fmt.Sprintf("task/%d/status", p.pid*100+k)] = statusText("S (sleeping)", p.parent, 2, mode, mode/2)
			files[fmt.Sprintf("task/%d/cgroup", p.pid*100+k)] = files["cgroup"]
		}
		if p.state[0] == 'Z' {
			delete(files, "cgroup")
		}
		for name, text := range files {
			write(t, filepath.Join(d, name), text)
		}
		links := map[string]string{
			"exe": p.exe, "cwd": cmp.Or(p.cwd, "/"), "ns/user": "user:[1]",
			"ns/mnt": cmp.Or(p.mounts, fmt.Sprintf("mnt:[%d]", p.pid)),
			"ns/pid": cmp.Or(p.pids, fmt.Sprintf("pid:[%d]", p.pid)),
		}
		for name, target := range links {
			under := d
			if p.state[0] == 'Z' && len(p.threads) > 0 {
				under = filepath.Join(d, "task", fmt.Sprint(p.pid*100))
			}
			path := filepath.Join(under, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, path); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func statusText(state string, parent, threads, seccomp, filters int) string {
	return fmt.Sprintf("Name:\tx\nState:\t%s\nPPid:\t%d\nThreads:\t%d\nSeccomp:\t%d\nSeccomp_filters:\t%d\n", state, parent, threads, seccomp, filters)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

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

var id = strings.Repeat("0123456789abcdef", 4)

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

// judged is one container judged.
type judged struct {
	name             string
	policy           string
	spec             *specs.LinuxSeccomp // in its bundle
	result, asked    string              // of its record: "" if it has none, "spec" for that in the bundle
	seccomp, filters int
	threads          []int
	live             []*specs.LinuxSeccomp       // what the kernel holds
	liveOf           map[int]*specs.LinuxSeccomp // of a thread, if it is another one
	liveErr          error
	added            bool // whether batten block has added filters
	want             status.Verdict
}

func denies(names ...string) *specs.LinuxSeccomp {
	eperm := uint(1)
	return &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64},
		Syscalls: []specs.LinuxSyscall{{Names: names, Action: specs.ActErrno, ErrnoRet: &eperm}},
	}
}

const (
	keyctl = "profiles: {p: {inline: {defaultAction: SCMP_ACT_ALLOW, architectures: [SCMP_ARCH_X86_64], syscalls: [{names: [keyctl], action: SCMP_ACT_ERRNO}]}}}\n"
	forced = "version: 1\narchitectures: as-written\nabsent: p\n" + keyctl
	open   = "version: 1\nabsent: Unconfined\n"
)

func TestJudge(t *testing.T) {
	asksNothing := "it asks for no seccomp filter, and the policy's top level says absent: "
	for _, tt := range []judged{
		{
			name: "proved", policy: forced, spec: denies("keyctl"), result: "spec", asked: record.None, seccomp: 2, filters: 1, live: []*specs.LinuxSeccomp{denies("keyctl")},
			want: status.Verdict{Kind: status.Proved, Safe: true, Text: "proved, 1 filter as strict as its record and today's policy"},
		},
		{
			name: "looser than its record", policy: open, spec: denies("keyctl"), result: "spec", asked: record.None, seccomp: 2, filters: 1, live: []*specs.LinuxSeccomp{denies("bpf")},
			want: status.Verdict{Kind: status.Looser, Text: "looser than its record: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
		},
		{
			name: "looser than today's policy", policy: forced, spec: denies("bpf"), result: "spec", asked: record.None, seccomp: 2, filters: 1, live: []*specs.LinuxSeccomp{denies("bpf")},
			want: status.Verdict{Kind: status.Looser, Text: "looser than today's policy: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
		},
		{
			name: "strict by a filter of its own program only", policy: forced, spec: denies("bpf"), result: "spec", asked: record.None, seccomp: 2, filters: 2, live: []*specs.LinuxSeccomp{denies("bpf"), denies("keyctl")},
			want: status.Verdict{Kind: status.Looser, Text: "looser than today's policy: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
		},
		{
			name: "strict by a filter that batten block has added", policy: forced, spec: denies("bpf"), result: "spec", asked: record.None, seccomp: 2, filters: 2, live: []*specs.LinuxSeccomp{denies("bpf"), denies("keyctl")},
			want:  status.Verdict{Kind: status.Proved, Safe: true, Text: "proved, 1 filter and what batten block has added to each thread as strict as its record and today's policy"},
			added: true,
		},
		{
			name: "and batten block has added none", policy: forced, spec: denies("bpf"), result: "spec", asked: record.None, seccomp: 2, filters: 1, live: []*specs.LinuxSeccomp{denies("bpf")},
			want:  status.Verdict{Kind: status.Looser, Text: "looser than today's policy: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
			added: true,
		},
		{
			name: "and not each thread has it", policy: forced, spec: denies("bpf"), result: "spec", asked: record.None, seccomp: 2, filters: 2, live: []*specs.LinuxSeccomp{denies("bpf"), denies("keyctl")},
			want:  status.Verdict{Kind: status.Looser, Text: "looser than today's policy: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
			added: true, threads: []int{2}, liveOf: map[int]*specs.LinuxSeccomp{1100: denies("bpf")},
		},
		{
			name: "its record demands a filter", policy: forced, spec: denies("keyctl"), result: "spec", asked: record.None,
			want: status.Verdict{Kind: status.Unfiltered, Text: "runs with no filter, and its record says otherwise: why."},
		},
		{
			name: "a thread without", policy: forced, spec: denies("keyctl"), result: "spec", asked: record.None, seccomp: 2, filters: 1, threads: []int{0}, live: []*specs.LinuxSeccomp{denies("keyctl")},
			want: status.Verdict{Kind: status.Unfiltered, Text: "process 11 of it runs with no filter, and its record says otherwise: why."},
		},
		{
			name: "the policy allows it", policy: open, result: record.None, asked: record.None,
			want: status.Verdict{Kind: status.Allowed, Safe: true, Text: "runs with no filter, as today's policy has it: " + asksNothing + "Unconfined"},
		},
		{
			name: "the policy allowed it once", policy: forced, result: record.None, asked: record.None,
			want: status.Verdict{Kind: status.Unfiltered, Text: "runs with no filter, and today's policy would not have it: " + asksNothing + "p"},
		},
		{
			name: "the policy only audits", policy: forced + "mode: Audit\n", result: record.None, asked: record.None,
			want: status.Verdict{Kind: status.Unfiltered, Text: "runs with no filter, and today's policy would not have it: " + asksNothing + "p; the policy only audits; enforced, it would deny 1 call: keyctl; kill programs of SCMP_ARCH_X86; kill programs of SCMP_ARCH_X32"},
		},
		{
			name: "the policy refuses it now", policy: "version: 1\nabsent: Deny\n", result: record.None, asked: record.None, seccomp: 2, filters: 1,
			want: status.Verdict{Kind: status.Refused, Text: "today's policy would refuse it: " + asksNothing + "Deny"},
		},
		{
			name: "does not stop", policy: forced, spec: denies("keyctl"), result: "spec", asked: record.None, seccomp: 2, filters: 1, liveErr: &filter.NotStopping{Pid: 11, State: "D (disk sleep)"},
			want: status.Verdict{Kind: status.Unproved, Text: "cannot be proved: process 11 does not stop (state D (disk sleep))"},
		},
		{
			name: "another profile than recorded", policy: forced, spec: denies("keyctl"), result: "sha256:other", asked: record.None, seccomp: 2, filters: 1,
			want: status.Verdict{Kind: status.Unproved, Text: "cannot be proved: BUNDLE/config.json no longer holds the profile that the record tells of"},
		},
		{
			name: "a broken policy", policy: "version: 7\n", spec: denies("keyctl"), result: "spec", asked: record.None, seccomp: 2, filters: 1,
			want: status.Verdict{Kind: status.Unproved, Text: `cannot be proved: today's policy cannot be read: policy "p":1:10: version: version 7 is unknown; this Batten reads version 1`},
		},
		{
			name: "bypasses Batten without a filter", policy: forced,
			want: status.Verdict{Kind: status.Unfiltered, Text: "bypasses Batten; runs with no filter, and today's policy would not have it: " + asksNothing + "p"},
		},
		{
			name: "bypasses Batten while the policy only audits", policy: forced + "mode: Audit\n",
			want: status.Verdict{Kind: status.Unfiltered, Text: "bypasses Batten; runs with no filter, and today's policy would not have it: " + asksNothing + "p; the policy only audits; enforced, it would deny 1 call: keyctl; kill programs of SCMP_ARCH_X86; kill programs of SCMP_ARCH_X32"},
		},
		{
			name: "bypasses Batten with a filter of its program", policy: forced, seccomp: 2, filters: 1, live: []*specs.LinuxSeccomp{denies("bpf")},
			want: status.Verdict{Kind: status.Looser, Text: "bypasses Batten; looser than today's policy: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
		},
		{
			name: "bypasses Batten with a strict filter of its program", policy: forced, seccomp: 2, filters: 1, threads: []int{2},
			live: []*specs.LinuxSeccomp{denies("keyctl")},
			want: status.Verdict{Kind: status.Proved, Safe: true, Text: "bypasses Batten; proved, 1 filter as strict as today's policy"},
		},
		{
			name: "and with a loose one in another thread", policy: forced, seccomp: 2, filters: 1, threads: []int{2},
			live: []*specs.LinuxSeccomp{denies("keyctl")}, liveOf: map[int]*specs.LinuxSeccomp{1100: denies("bpf")},
			want: status.Verdict{Kind: status.Looser, Text: "bypasses Batten; looser than today's policy: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
		},
		{
			name: "as it asked to, with such filters", policy: forced, result: record.None, asked: record.None, seccomp: 2, filters: 1, threads: []int{2},
			live: []*specs.LinuxSeccomp{denies("keyctl")}, liveOf: map[int]*specs.LinuxSeccomp{1100: denies("bpf")},
			want: status.Verdict{Kind: status.Looser, Text: "looser than today's policy: keyctl() on amd64: ERRNO(EPERM) against ALLOW"},
		},
		{
			name: "bypasses Batten, and the policy allows all", policy: open,
			want: status.Verdict{Kind: status.Allowed, Safe: true, Text: "bypasses Batten; runs with no filter, as today's policy has it: " + asksNothing + "Unconfined"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, bundle := judge(t, tt)
			got.Text = strings.ReplaceAll(got.Text, bundle, "BUNDLE")
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// judge surveys a /proc with one container, and returns its verdict and its bundle.
func judge(t *testing.T, tt judged) (status.Verdict, string) {
	t.Helper()
	bundle := t.TempDir()
	seccomp := []byte("null")
	if tt.spec != nil {
		seccomp = profile.Encode(*tt.spec)
	}
	write(t, filepath.Join(bundle, "config.json"), `{"linux":{"seccomp":`+string(seccomp)+`}}`)
	var records []*record.Record
	if tt.result != "" {
		rec := &record.Record{ID: "c", ContainerdNamespace: "n", Bundle: bundle, Pid: 11, StartTime: 7, Result: tt.result, Asked: tt.asked, Reason: "why."}
		if rec.Result == "spec" {
			rec.Result = enforce.Digest(seccomp)
		}
		records = append(records, rec)
	}
	host := procfs.HostPidNamespace
	all, err := procfs.All(proc(t, process{pid: 10, parent: 1, exe: "/runc", mounts: hostMounts, pids: host},
		process{pid: 11, parent: 10, exe: "/a", cgroup: "/c", root: "0:50 /", seccomp: tt.seccomp, filters: tt.filters, threads: tt.threads, start: 7}))
	if err != nil {
		t.Fatal(err)
	}
	found := status.Find(all, records)
	if len(found.Containers) != 1 {
		t.Fatalf("found %+v", found)
	}
	j := &status.Judge{
		Added: func(*filter.Program) bool { return tt.added },
		Policy: func(string) (*policy.Policy, error) {
			p, findings := policy.Parse("p", []byte(tt.policy), nil)
			return p, findings.Err()
		},
		Machine: func(string) policy.Machine { return policy.Machine{} },
		Live: func(tid int) (stack filter.Stack, err error) {
			held := tt.live
			if other := tt.liveOf[tid]; other != nil {
				held = []*specs.LinuxSeccomp{other}
			}
			for _, s := range held {
				p, err := filter.Compile(s)
				if err != nil {
					t.Fatal(err)
				}
				stack = append(stack, p)
			}
			return stack, tt.liveErr
		},
	}
	return j.Judge(&found.Containers[0]), bundle
}

// What cannot be seen is said, and no container is called safe by a look at nothing.
func TestSurveySaysWhatItDoesNotSee(t *testing.T) {
	look := func(dir string) (*status.Node, error) {
		return status.Survey{Proc: dir, Records: record.Store{Dir: t.TempDir()}, Judge: &status.Judge{}}.Look()
	}
	t.Run("all", func(t *testing.T) {
		n, err := look(proc(t))
		if err != nil || len(n.Unseen) != 0 {
			t.Errorf("%+v, %v", n, err)
		}
	})
	t.Run("not root's", func(t *testing.T) {
		dir := proc(t)
		if err := os.Remove(filepath.Join(dir, "1/ns/mnt")); err != nil {
			t.Fatal(err)
		}
		_, err := look(dir)
		if want := "the namespaces of process 1 cannot be read"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	})
	t.Run("one process", func(t *testing.T) {
		dir := proc(t, process{pid: 11, parent: 1, exe: "/a"})
		if err := os.Remove(filepath.Join(dir, "11/ns/mnt")); err != nil {
			t.Fatal(err)
		}
		n, err := look(dir)
		if err != nil || fmt.Sprint(n.Unseen) != "[the namespaces of 1 processes]" {
			t.Errorf("%+v, %v", n, err)
		}
	})
	t.Run("another pid namespace", func(t *testing.T) {
		dir := proc(t)
		path := filepath.Join(dir, "1/ns/pid")
		if err := errors.Join(os.Remove(path), os.Symlink("pid:[4026532000]", path)); err != nil {
			t.Fatal(err)
		}
		n, err := look(dir)
		if err != nil || fmt.Sprint(n.Unseen) != "[this is a pid namespace of its own, not the machine's: containers outside of it]" {
			t.Errorf("%+v, %v", n, err)
		}
	})
}

// This machine's own /proc can be read whole.
func TestProcesses(t *testing.T) {
	all, err := procfs.All("/proc")
	if err != nil || len(all) == 0 {
		t.Fatalf("%d processes, %v", len(all), err)
	}
	if self, ok := all[os.Getpid()]; !ok || self.Parent != os.Getppid() || self.Seccomp < 0 || self.StartTime != procfs.StartTime(os.Getpid()) {
		t.Errorf("self: %+v", self)
	}
}

func Example() {
	host := procfs.Process{Pid: 1, Mounts: "mnt:[1]", Pids: procfs.HostPidNamespace}
	shim := procfs.Process{Pid: 10, Parent: 1, Name: "containerd-shim-runc-v2", Mounts: "mnt:[1]", Pids: procfs.HostPidNamespace}
	nginx := procfs.Process{Pid: 11, Parent: 10, Name: "nginx", Cgroup: "/default/web", Mounts: "mnt:[2]", Pids: "pid:[2]"}
	judge := status.Judge{
		Policy: func(string) (*policy.Policy, error) {
			p, findings := policy.Parse(policy.BuiltinPath, []byte(policy.Builtin), nil)
			return p, findings.Err()
		},
		Machine: func(string) policy.Machine { return policy.Machine{} },
	}
	for _, c := range status.Find(map[int]procfs.Process{1: host, 10: shim, 11: nginx}, nil).Containers {
		fmt.Println(c.ID, c.Seccomp, judge.Judge(&c).Text)
	}
	// Output:
	// web 0 bypasses Batten; runs with no filter, and today's policy would not have it: it asks for no seccomp filter, and the policy's top level says absent: RuntimeDefault
}
