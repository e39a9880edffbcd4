package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// TestShimFaults: the shim of a running group of containers, as of a pod, under a
// fault while it creates and starts another one.
func TestShimFaults(t *testing.T) {
	needStrace(t)
	n := node.Start(t, engine, node.WithQuietLog())
	endPrograms(t, n)
	r := rand.New(rand.NewPCG(8, uint64(time.Now().UnixNano())))
	s := &shim{Node: n, t: t}
	hit, failed, killed, made := 0, 0, 0, 0
	for want := node.Often(t, "ROUNDS", 10); hit < want; made++ {
		if made > 6*want {
			t.Fatalf("only %d of %d faults came to pass", hit, made)
		}
		// A socket's read or write fails with none of these errors, and containerd's
		// ttrpc would wait for ever if it did: the shim is killed there.
		if s.fault = randomFault(r); s.fault.call == "read" || s.fault.call == "write" {
			s.fault.what = "signal=SIGKILL"
		}
		s.round()
		if s.hit {
			hit++
		}
		if s.hit && s.failed {
			failed++
		}
		if s.hit && s.killed {
			killed++
		}
	}
	if s.first != nil {
		s.first.Remove()
	}
	t.Logf("%d rounds: %d faults came to pass, %d of them failed the container, %d ended the shim", made, hit, failed, killed)
}

// shim is a group of containers and a round of faults at its shim.
type shim struct {
	*node.Node
	t     *testing.T
	group int
	first *node.Created // nil when its shim is gone
	pid   int           // the shim's
	fault fault

	children            bool // the fault may be the runtime's
	hit, failed, killed bool
}

// member is a container of the group.
func (s *shim) member() node.Run {
	return node.Run{Runtime: node.Batten, Spec: []oci.SpecOpts{oci.WithAnnotations(map[string]string{
		"io.containerd.runc.v2.group": fmt.Sprintf("group%d", s.group),
	})}}
}

func (s *shim) round() {
	s.t.Helper()
	s.hit, s.failed, s.killed = false, false, false
	if s.first != nil && node.Gone(s.pid) == nil {
		s.endGroup() // ended by the last fault, late
	}
	if s.first == nil {
		s.group++
		s.first = s.start("the first of a group")
		s.pid = s.first.ShimPid()
	}
	log := filepath.Join(s.Dir, "strace.log")
	tracer := s.attach(log)
	stuck := time.AfterFunc(time.Minute, func() { _ = syscall.Kill(s.pid, syscall.SIGKILL) })
	c, err := s.Start(s.member())
	if !stuck.Stop() {
		s.t.Errorf("%s: a container is stuck", s.fault)
	}
	endTracers(s.t, s.Node)
	_ = tracer.Wait()
	s.hit, s.failed = happened(s.t, log), err != nil
	// A fault may have been the program's own, which is traced, too.
	if err == nil && node.Gone(int(c.Task.Pid())) != nil {
		s.WaitForExec(c)
		if mode, filters := c.Seccomp(); mode == "0" {
			s.t.Errorf("%s: started with Seccomp: %s and %s filters", s.fault, mode, filters)
		}
	}
	checkFiltered(s.t, s.Node, s.fault.String())
	if c != nil {
		c.Remove()
		s.dropCgroups(c.ID)
	}
	// Only now: a fault may end the shim after the container has started, and its
	// tracer only ends it when it next runs.
	if s.killed = node.Gone(s.pid) == nil; s.killed {
		s.endGroup()
		checkFiles(s.t, s.Node, s.fault.String())
	}
	s.start("after " + s.fault.String()).Remove()
}

// endGroup removes the group's first container, whose shim has ended.
func (s *shim) endGroup() {
	s.first.Remove()
	s.dropCgroups(s.first.ID)
	s.first = nil
}

// dropCgroups removes what a runc that was killed or failed leaves, with Batten or
// without.
func (s *shim) dropCgroups(id string) {
	dirs, _ := filepath.Glob("/sys/fs/cgroup/*/" + filepath.Base(s.Dir) + "/" + id)
	for _, dir := range dirs {
		_ = os.Remove(dir)
	}
}

// start is a container of a shim of its own, without a fault.
func (s *shim) start(what string) *node.Created {
	s.t.Helper()
	run := node.Run{Runtime: node.Batten}
	if s.first == nil {
		run = s.member()
	}
	c, err := s.Start(run)
	if err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
	s.WaitForExec(c)
	if mode, _ := c.Seccomp(); mode != "2" {
		s.t.Errorf("%s: Seccomp: %s", what, mode)
	}
	return c
}

// attach has strace trace all threads of the shim, and in every other round the
// runtime that it calls, too.
func (s *shim) attach(log string) interface{ Wait() error } {
	s.t.Helper()
	args := []string{"strace", "-qq", "-o", log, "-e", "trace=" + s.fault.call, "-e", s.fault.String()}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", s.pid))
	if s.children = !s.children; s.children {
		args = append(args, "-f", "-p", strconv.Itoa(s.pid))
	} else {
		for _, task := range tasks {
			args = append(args, "-p", filepath.Base(task))
		}
	}
	cmd := s.Command(args...)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.Eventually(5*time.Second, "strace to attach", func() error {
		if node.Gone(s.pid) == nil {
			return nil // killed by the first call that it made
		}
		for _, task := range tasks { // a later one is traced with -f alone
			if status, err := os.ReadFile(task + "/status"); err == nil && strings.Contains(string(status), "TracerPid:\t0\n") {
				return fmt.Errorf("%s is not traced", task)
			}
		}
		return nil
	})
	return cmd
}
