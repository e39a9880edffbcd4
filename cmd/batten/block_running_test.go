package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/batten-runtime/batten/internal/tighten"
)

// nodeWith is one of a container, which a shim holds: a first process and one that it has started.
func nodeWith(first, second procfs.Process) *status.Node {
	host := procfs.Process{Pid: 1, Mounts: "mnt:[1]", Pids: procfs.HostPidNamespace, Threads: 1}
	shim := host
	shim.Pid, shim.Parent, shim.Name = 10, 1, "containerd-shim-runc-v2"
	all := map[int]procfs.Process{1: host, 10: shim}
	for i, p := range []procfs.Process{first, second} {
		p.Pid, p.Parent, p.Threads, p.Seccomp, p.Mounts, p.Pids, p.Cgroup = 20+i, 10+10*i, 1, 2, "mnt:[2]", "pid:[2]", "/d/c"
		all[p.Pid] = p
	}
	return &status.Node{Containers: status.Find(all, nil).Containers}
}

// A container is closed at once where one of its old processes is as loose as it was judged; else when
// it is still open after a while, whatever it does.
func TestOpen(t *testing.T) {
	now := procfs.Now()
	old, fresh := now-uint64(10*youth*procfs.Ticks/time.Second), now
	for _, tt := range []struct {
		name          string
		first, second procfs.Process
		settled       bool
	}{
		{name: "all are old", first: procfs.Process{Filters: 1, StartTime: old}, second: procfs.Process{Filters: 1, StartTime: old}, settled: true},
		{name: "a new one beside an old one", first: procfs.Process{Filters: 1, StartTime: old}, second: procfs.Process{Filters: 1, StartTime: fresh}, settled: true},
		{name: "all are new", first: procfs.Process{Filters: 1, StartTime: fresh}, second: procfs.Process{Filters: 1, StartTime: fresh}},
		{name: "a new one is the loosest", first: procfs.Process{Filters: 2, StartTime: old}, second: procfs.Process{Filters: 1, StartTime: fresh}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &closer{chosen: func(*status.Container) bool { return true }, young: make(map[tighten.Target]time.Time)}
			look := func() string {
				open, young := c.open(nodeWith(tt.first, tt.second))
				return fmt.Sprintf("%d open, %d young", len(open), young)
			}
			want := "0 open, 1 young"
			if tt.settled {
				want = "1 open, 0 young"
			}
			for range 2 {
				if got := look(); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			}
			for key, since := range c.young {
				c.young[key] = since.Add(-youth)
			}
			if tt.second.StartTime == fresh { // another one in its place
				tt.second.StartTime = fresh + 1
			}
			if got := look(); got != "1 open, 0 young" {
				t.Errorf("later: %s", got)
			}
		})
	}
}
