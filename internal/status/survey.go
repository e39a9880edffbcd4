package status

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
)

// Survey is where to look.
type Survey struct {
	// Proc is /proc, Records the directory of the records.
	Proc    string
	Records record.Store
	Judge   *Judge
	// Known returns the verdict on a container that was judged already, by the caller; nil for
	// none.
	Known func(*Container) (v Verdict, ok bool)
}

// Node is what runs on it, judged.
type Node struct {
	Containers []Container `json:"containers"`
	// Waiting are records of containers that have not been made yet.
	Waiting []*record.Record `json:"-"`
	// Others are processes in namespaces of their own that are no container.
	Others []procfs.Process `json:"-"`
	// Host are the processes that are in no container: what a container calls itself is
	// not taken for an engine's, and its files are not looked at.
	Host map[int]procfs.Process `json:"-"`
	// Unseen says what could not be looked at: there may be more containers.
	Unseen []string `json:"unseen,omitempty"`
}

// Unsafe returns how many containers run below the policy, or cannot be proved.
func (n *Node) Unsafe() (count int) {
	for _, c := range n.Containers {
		if !c.Safe {
			count++
		}
	}
	return count
}

// A container may be on its way: runc has made the process and not yet filtered it.
// So what is wrong must be so in two looks that follow each other.
const looks = 4

// SecondLook is how long after a look the next one comes. A process that is still as it was is taken
// for one that its runtime has done with.
const SecondLook = 300 * time.Millisecond

// Look finds the containers and judges them.
func (s Survey) Look() (*Node, error) {
	type process struct {
		pid  int
		kind Kind
	}
	last := make(map[process]bool)
	for look := 1; ; look++ {
		n, err := s.Once()
		if err != nil {
			return nil, err
		}
		now, sure := make(map[process]bool), true
		for _, c := range n.Containers {
			if !c.Safe {
				now[process{c.Pid, c.Kind}] = true
				sure = sure && last[process{c.Pid, c.Kind}]
			}
		}
		if sure || look == looks {
			return n, nil
		}
		last = now
		time.Sleep(SecondLook)
	}
}

// Once does the same by one look: a container that is not safe may be on its way.
func (s Survey) Once() (*Node, error) {
	list, err := s.Records.List()
	if err != nil {
		return nil, err
	}
	processes, err := procfs.All(s.Proc)
	if err != nil {
		return nil, err
	}
	host := host(processes)
	if host.Mounts == "" || host.Pids == "" {
		return nil, errors.New("the namespaces of process 1 cannot be read")
	}
	found := Find(processes, list)
	n := &Node{Containers: found.Containers, Others: found.Others, Host: found.Host}
	if host.Pids != procfs.HostPidNamespace {
		n.Unseen = append(n.Unseen, "this is a pid namespace of its own, not the machine's: containers outside of it")
	}
	if found.Unreadable > 0 {
		n.Unseen = append(n.Unseen, fmt.Sprintf("the namespaces of %d processes", found.Unreadable))
	}
	for _, rec := range list {
		if rec.Pid == 0 {
			n.Waiting = append(n.Waiting, rec)
		}
	}
	s.judge(n.Containers)
	return n, nil
}

func (s Survey) verdict(c *Container) Verdict {
	if s.Known != nil {
		if v, ok := s.Known(c); ok {
			return v
		}
	}
	return s.Judge.Judge(c)
}

// judge judges all, and puts those that are not safe first. One that does not stop takes half a second, so several at a time.
func (s Survey) judge(containers []Container) {
	var wait sync.WaitGroup
	slots := make(chan struct{}, 8)
	for k := range containers {
		slots <- struct{}{}
		wait.Go(func() {
			containers[k].Called = containers[k].title()
			containers[k].Verdict = s.verdict(&containers[k])
			<-slots
		})
	}
	wait.Wait()
	slices.SortStableFunc(containers, func(a, b Container) int {
		switch {
		case a.Safe == b.Safe:
			return 0
		case a.Safe:
			return 1
		}
		return -1
	})
}
