package main

import (
	"maps"
	"slices"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/batten-runtime/batten/internal/tighten"
)

// oldest names a container by its oldest process.
func oldest(c *status.Container) (tighten.Target, bool) {
	members := c.Members()
	if len(members) == 0 {
		return tighten.Target{}, false
	}
	p := slices.MinFunc(members, func(a, b procfs.Process) int { return int(a.StartTime) - int(b.StartTime) })
	return tighten.Target{Pid: p.Pid, StartTime: p.StartTime}, true
}

// settled reports whether a container is as it was judged for good: a process of it has as little of a
// filter and is old, so that no runtime is about to give it one.
func settled(c *status.Container) bool {
	return slices.ContainsFunc(c.Members(), func(p procfs.Process) bool {
		return p.Seccomp == c.Seccomp && p.Filters == c.Filters && procfs.Age(p.StartTime) >= youth
	})
}

// processesOf returns what lists the processes of a container: those that were found, and what is in
// their cgroups, unless a process of the host is there, too.
func processesOf(c *status.Container, host map[int]procfs.Process) tighten.List {
	cgroups := make(map[string]bool)
	for _, p := range c.Members() {
		cgroups[p.Cgroup] = len(p.Cgroup) > 1
	}
	for _, p := range host {
		delete(cgroups, p.Cgroup)
	}
	return func(startTime func(pid int) uint64) (out []tighten.Target, err error) {
		add := func(pid int, start uint64) {
			if t := (tighten.Target{Pid: pid, StartTime: start}); start != 0 && !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
		for cgroup, own := range cgroups {
			if !own {
				continue
			}
			for _, pid := range procfs.InCgroup(cgroup) {
				add(pid, startTime(pid))
			}
		}
		for _, p := range c.Members() {
			if startTime(p.Pid) == p.StartTime {
				add(p.Pid, p.StartTime)
			}
		}
		return out, nil
	}
}

// awaitExecs waits for runtimes that may have read a container's profile before it was changed.
func awaitExecs(host map[int]procfs.Process) {
	const pause = 5 * time.Millisecond
	now := make(map[int]uint64)
	pids, _ := procfs.Pids(defaultProc)
	for _, pid := range pids {
		s, err := procfs.StatusOf(pid)
		if _, known := host[s.Parent]; err == nil && known && (s.Name == "runc" || s.Name == "crun") {
			now[pid] = procfs.StartTime(pid)
		}
	}
	for until := time.Now().Add(closeLimit); time.Now().Before(until); time.Sleep(pause) {
		maps.DeleteFunc(now, func(pid int, start uint64) bool { return procfs.StartTime(pid) != start })
		if len(now) == 0 {
			return
		}
	}
}
