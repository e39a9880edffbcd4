package status

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
)

// Container is one that runs.
type Container struct {
	ID string `json:"id"`
	// ContainerdNamespace is empty for engines other than containerd.
	ContainerdNamespace string `json:"containerdNamespace,omitempty"`
	// Called is what people call it.
	Called record.Called `json:"called,omitzero"`
	// Supervisor is the name of the process that holds it: a shim, conmon, or whatever
	// started it; SupervisorPid is that process.
	Supervisor    string `json:"supervisor"`
	SupervisorPid int    `json:"supervisorPid,omitempty"`
	// Pid is the process that has least of a filter, the oldest of these.
	Pid int `json:"pid"`
	// Seccomp is that process's mode in /proc: 0 none, 2 filter; Filters how many.
	Seccomp int `json:"seccomp"`
	Filters int `json:"filters"`
	// Record is Batten's; nil for a container that bypasses Batten.
	Record *record.Record `json:"record,omitempty"`
	Verdict

	bundle string
	// heads are the processes that were started from outside: its first one, and
	// what was started in it later. The others have the filters of one of these that a
	// runtime has installed. Members are all processes.
	heads, members []procfs.Process
	// first is the one that holds Pid at first, and filtered reports whether any
	// process has a filter.
	filtered bool
	// shared is how many filters of a head all its processes have.
	shared int
}

// Found is what runs in namespaces of its own.
type Found struct {
	Containers []Container
	// Others are processes in namespaces of their own that are no container: services
	// of the host which systemd, a browser or the like has put into a sandbox.
	Others []procfs.Process
	// Host are all processes that are in no container, by pid.
	Host map[int]procfs.Process
	// Unreadable is how many processes have namespaces that cannot be read.
	Unreadable int
}

// Find returns what runs, containers by namespace and id. A container is
//
//   - what a record tells of, by the pid and the start time of its first process;
//   - what a shim or conmon is the parent of, unless it is where that is (a runtime on
//     its way, Podman cleaning up);
//   - what has a mount namespace and a root file system of its own, and a pid namespace
//     or a cgroup, whoever started it.
//
// What a container's process has started is that container's. Names and cgroups that
// a container can choose decide nothing.
func Find(processes map[int]procfs.Process, records []*record.Record) Found {
	f := finder{
		processes: processes, host: host(processes), records: make(map[int]*record.Record),
		owner: make(map[int]int), heads: make(map[int][]int),
	}
	for _, r := range records {
		if p, ok := processes[r.Pid]; ok && r.Pid != 0 && p.StartTime == r.StartTime {
			f.records[r.Pid] = r
		}
	}
	return f.find()
}

// host returns what has the host's namespaces: the first process or, where somebody
// keeps that from root, the kernel's own.
func host(processes map[int]procfs.Process) procfs.Process {
	h := processes[1]
	if kernel, ok := processes[2]; ok && h.Mounts == "" && kernel.Parent == 0 && kernel.Pids == procfs.HostPidNamespace {
		h.Mounts, h.Pids, h.Users = kernel.Mounts, kernel.Pids, kernel.Users
	}
	return h
}

// finder is one call of Find.
type finder struct {
	processes map[int]procfs.Process
	host      procfs.Process
	records   map[int]*record.Record // by the first process
	owner     map[int]int            // a process's head; 0 for none
	heads     map[int][]int          // a container's heads by the first of them
}

func (f *finder) find() (out Found) {
	pids := make([]int, 0, len(f.processes))
	for pid := range f.processes {
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	members := make(map[int][]procfs.Process)
	out.Host = make(map[int]procfs.Process)
	for _, pid := range pids {
		p, head := f.processes[pid], f.headOf(pid, 0)
		if head != 0 {
			members[head] = append(members[head], p)
			continue
		}
		out.Host[pid] = p
		switch {
		case p.Parent == 0, p.Parent == 2: // the first process, and the kernel's threads
		case f.host.Mounts != "" && p.Mounts == "":
			out.Unreadable++
		case f.apart(p):
			out.Others = append(out.Others, p)
		}
	}
	first := make(map[string]int)
	for _, record := range []bool{true, false} { // containers of records first
		for _, pid := range pids {
			if f.owner[pid] == pid && (f.records[pid] != nil) == record {
				f.join(pid, first)
			}
		}
	}
	for head, joined := range f.heads {
		c := f.container(head, joined)
		for _, pid := range joined {
			for _, p := range members[pid] {
				c.add(p)
			}
		}
		out.Containers = append(out.Containers, c)
	}
	slices.SortFunc(out.Containers, func(a, b Container) int {
		return cmp.Or(cmp.Compare(a.ContainerdNamespace, b.ContainerdNamespace), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Pid, b.Pid))
	})
	return out
}

// headOf returns the process by which pid came into a container; 0 if pid is in none.
func (f *finder) headOf(pid, depth int) int {
	if head, ok := f.owner[pid]; ok {
		return head
	}
	p, ok := f.processes[pid]
	if !ok || depth > len(f.processes) { // parents that were read at different times may go round
		return 0
	}
	head := f.headOf(p.Parent, depth+1)
	switch parent := f.processes[p.Parent]; {
	case f.records[pid] != nil:
		head = pid
	case head != 0:
	case supervises(parent):
		if p.Mounts == "" || p.Mounts != parent.Mounts || p.Cgroup != parent.Cgroup {
			head = pid
		}
	case f.contained(p, parent):
		head = pid
	}
	f.owner[pid] = head
	return head
}

// supervises reports whether a process is by its name the parent of containers.
func supervises(p procfs.Process) bool {
	return strings.HasPrefix(p.Name, "containerd-shim") || p.Name == "conmon" || p.Name == "conmonrs"
}

// apart reports whether a process is in namespaces other than the host's.
func (f *finder) apart(p procfs.Process) bool {
	return f.ownMounts(p) || p.Pids != f.host.Pids || p.Users != f.host.Users
}

func (f *finder) ownMounts(p procfs.Process) bool {
	return p.Mounts != "" && p.Mounts != f.host.Mounts
}

// contained reports whether a process that no engine is the parent of is a container.
// Services that systemd isolates keep the host's root, and those that do not, portable
// services and snaps, are in the host's pid namespace and in a service's cgroup.
func (f *finder) contained(p, parent procfs.Process) bool {
	// What makes the pid namespace may have made the mounts before, in itself.
	if !f.ownMounts(p) || p.Mounts == parent.Mounts && p.Pids == parent.Pids {
		return false
	}
	p.ReadRoot()
	f.host.ReadRoot()
	if p.Root != "" && p.Root == f.host.Root {
		return false
	}
	return p.Pids != f.host.Pids || p.Cgroup != parent.Cgroup && !strings.HasSuffix(p.Cgroup, ".service")
}

// join puts a head to the container that it belongs to: one in the same mount
// namespace, or one of a record whose supervisor started this in the record's cgroup.
func (f *finder) join(pid int, first map[string]int) {
	p := f.processes[pid]
	key := p.Mounts + " " + p.Pids
	into, ok := first[key]
	if !ok || !f.ownMounts(p) {
		into = pid
	}
	if f.records[pid] != nil {
		into = pid
	} else if into == pid && supervises(f.processes[p.Parent]) {
		for other := range f.records {
			r := f.processes[other]
			if r.Parent == p.Parent && len(r.Cgroup) > 1 && r.Cgroup != f.processes[r.Parent].Cgroup &&
				(p.Cgroup == r.Cgroup || strings.HasPrefix(p.Cgroup, r.Cgroup+"/")) {
				into = other
			}
		}
	}
	if into == pid && !ok {
		first[key] = pid
	}
	f.heads[into] = append(f.heads[into], pid)
}

// container describes the container of a head.
func (f *finder) container(head int, joined []int) Container {
	p := f.processes[head]
	above := f.processes[p.Parent]
	c := Container{Supervisor: above.Name, SupervisorPid: p.Parent, Record: f.records[head], Seccomp: -2, shared: max(above.Filters, 0) + 1}
	for _, pid := range joined {
		c.heads = append(c.heads, f.processes[pid])
	}
	if c.Record != nil {
		c.ID, c.ContainerdNamespace, c.bundle = c.Record.ID, c.Record.ContainerdNamespace, c.Record.Bundle
		return c
	}
	c.ID, c.bundle = idOf(p), ""
	if !supervises(above) {
		return c
	}
	args := above.Args()
	c.ContainerdNamespace = option(args, "-namespace", "--namespace")
	switch dir, ok := bundleOf(head, above.Dir, c.ContainerdNamespace); {
	case ok:
		c.ID, c.bundle = filepath.Base(dir), dir
	case above.Name == "conmon":
		c.bundle = option(args, "-b", "--bundle")
		c.ID = cmp.Or(option(args, "-c", "--cid"), c.ID)
	}
	return c
}

// Members are the processes of the container.
func (c *Container) Members() []procfs.Process { return c.members }

// add counts one process of the container.
func (c *Container) add(p procfs.Process) {
	c.members = append(c.members, p)
	seccomp, filters := p.Weakest()
	c.filtered = c.filtered || p.Seccomp == 2
	if filters >= 0 {
		c.shared = min(c.shared, max(filters, 1))
	}
	if c.Seccomp == -2 || cmp.Or(cmp.Compare(seccomp, c.Seccomp), cmp.Compare(filters, c.Filters), cmp.Compare(p.Pid, c.Pid)) < 0 {
		c.Pid, c.Seccomp, c.Filters = p.Pid, seccomp, filters
	}
}
