package status

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
)

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
