package status

import (
	"cmp"

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
