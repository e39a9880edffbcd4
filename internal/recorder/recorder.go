package recorder

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/policy/syscalls"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"github.com/cilium/ebpf/rlimit"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Options are what a recorder keeps.
type Options struct {
	// Containers is how many containers there may be at one time, with those that nobody has
	// called uninteresting yet; 0 is 64.
	Containers int
	// Arguments are recorded besides those of [Deciding].
	Arguments []Argument
}

// Argument names an argument of a call.
type Argument struct {
	Name  string
	Index uint // 0 to 5
}

// Deciding are the arguments that are always recorded, since they decide what the call is. Of
// clone3, whose flags are in memory, argument 0 stands for these.
var Deciding = []Argument{
	{"clone", 0},
	{"clone3", 0},
	{"socket", 0},
	{"socketpair", 0},
	{"personality", 0},
	{"prctl", 0},
	{"socketcall", 0},
	{"ipc", 0},
}

// Recorder is at work from Open to Close.
type Recorder struct {
	maps   *maps
	links  []link.Link
	events *ringbuf.Reader
	// spaces are the mount namespaces that have tags.
	spaces map[Tag]uint64
	// began is the wall clock's time at 0 of the kernel's monotonic clock.
	began time.Time
}

// Open attaches the programs. The error is *[Unable] if something is missing on this machine.
func Open(o Options) (*Recorder, error) {
	if o.Containers == 0 {
		o.Containers = 64
	}
	if space, err := os.Readlink("/proc/self/ns/pid"); err != nil || space != procfs.HostPidNamespace {
		return nil, &Unable{"this is a pid namespace of its own, and the kernel numbers processes by the machine's", "run it on the node itself, or in a container with hostPID: true"}
	}
	where, err := findOffsets()
	if err != nil {
		return nil, err
	}
	if err := rlimit.RemoveMemlock(); err != nil {
		return nil, unable("lock memory for maps", err)
	}
	r := &Recorder{began: bootTime(), spaces: make(map[Tag]uint64)}
	if r.maps, err = makeMaps(o.Containers); err != nil {
		return nil, err
	}
	if err := errors.Join(r.giveTags(o.Containers), r.watch(slices.Concat(Deciding, o.Arguments))); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	if r.events, err = ringbuf.NewReader(r.maps.Events); err != nil {
		return nil, errors.Join(unable("be told of containers", err), r.Close())
	}
	// The programs that follow processes come first.
	for _, p := range []struct {
		tracepoint string
		program    asm.Instructions
	}{
		{"sched_process_exit", onExit(r.maps, where)},
		{"sched_process_fork", onFork(r.maps, where)},
		{"sched_process_exec", onExec(r.maps, where)},
	} {
		if err := r.attach(p.tracepoint, p.program); err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	if err := r.attachToCalls(sysEnter(r.maps, where)); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// watch says which arguments are to be recorded.
func (r *Recorder) watch(arguments []Argument) error {
	masks := make(map[uint32]uint32)
	for _, a := range arguments {
		if a.Index > 5 {
			return fmt.Errorf("%s has no argument %d", a.Name, a.Index)
		}
		known := false
		for i, arch := range arches {
			nr, ok := numberOn(arch, a.Name)
			if !ok {
				continue
			}
			known = true
			mask := uint32(1) << a.Index
			if a.Name == "clone3" && a.Index == 0 {
				mask |= watchMemory
			}
			masks[uint32(i<<numberBits|nr)] |= mask
		}
		if !known && !slices.Contains(Deciding, a) {
			return fmt.Errorf("no system call %q on this machine", a.Name)
		}
	}
	for at, mask := range masks {
		if err := put(r.maps.Watch, at, mask); err != nil {
			return err
		}
	}
	return nil
}

// Knows reports whether programs of this machine have a call of this name.
func Knows(name string) bool {
	return slices.ContainsFunc(arches, func(arch specs.Arch) bool {
		_, ok := numberOn(arch, name)
		return ok
	})
}

// numberOn returns a call's number as the programs see it: x32's without its bit.
func numberOn(arch specs.Arch, name string) (int, bool) {
	nr, ok := syscalls.Number(arch, name)
	if arch == specs.ArchX32 {
		nr &^= x32Bit
	}
	return nr, ok && nr >= 0 && nr < numbers
}

// Lost is what there was no room for.
type Lost struct {
	// Containers started when all places were taken. Processes of a container were not followed,
	// Arguments not kept; Calls have numbers that are too high.
	Containers, Processes, Arguments, Calls uint64
}

// Lost returns what was lost until now.
func (r *Recorder) Lost() (l Lost, err error) {
	for kind, at := range map[uint32]*uint64{
		lostContainers: &l.Containers, lostProcesses: &l.Processes, lostArguments: &l.Arguments, lostCalls: &l.Calls,
	} {
		err = errors.Join(err, r.maps.Lost.Lookup(kind, at))
	}
	return l, err
}

// Stop detaches the programs. What was recorded can be read until Close.
func (r *Recorder) Stop() (err error) {
	for i := len(r.links) - 1; i >= 0; i-- { // those that follow processes last
		err = errors.Join(err, r.links[i].Close())
	}
	r.links = nil
	return err
}

// Close ends the recorder.
func (r *Recorder) Close() error {
	err := r.Stop()
	if r.events != nil {
		err = errors.Join(err, r.events.Close())
	}
	r.maps.close()
	return err
}

// bootTime returns when the kernel's monotonic clock was 0.
func bootTime() time.Time {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // fails for unknown clocks only
	return time.Now().Add(-time.Duration(ts.Nano()))
}

// at turns a time of the kernel's into one of the wall clock.
func (r *Recorder) at(ns uint64) time.Time { return r.began.Add(time.Duration(ns)).Round(0) }
