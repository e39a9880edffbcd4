package recording_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics/region"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var audit = map[specs.Arch]uint32{specs.ArchX86_64: unix.AUDIT_ARCH_X86_64, specs.ArchX32: unix.AUDIT_ARCH_X86_64, specs.ArchX86: unix.AUDIT_ARCH_I386}

// Each recorded call passes the compiled filter of the profile, and no call does that a container
// did not make, the runtime does not need, and the rule on clone is not for.
func TestProfileOfRandomRecordings(t *testing.T) {
	count := filtertest.Few(400)
	for i := range count {
		r := rand.New(rand.NewPCG(7, uint64(i)))
		recordings := []*recording.Recording{randomRecording(r), randomRecording(r)}
		o := recording.Options{Runtime: filter.Linked()}
		if r.IntN(2) == 0 {
			yes := r.IntN(2) == 0
			o.NoNewPrivileges = &yes
		}
		made, err := recording.Profile(recordings, o)
		if err != nil {
			t.Fatalf("recordings %d: %v\n%s", i, err, text(recordings))
		}
		program, err := filter.Compile(&made.Seccomp)
		if err != nil {
			t.Fatalf("recordings %d: %v\n%s", i, err, text(recordings))
		}
		j := &judge{recordings: recordings, options: o, program: program, random: r}
		j.recorded(t)
		j.others(t)
		if t.Failed() {
			t.Fatalf("recordings %d\n%s\n%s", i, text(recordings), profile.Encode(made.Seccomp))
		}
	}
}

func text(v any) string {
	out, _ := json.Marshal(v)
	return string(out)
}

// judge asks the filter of one profile.
type judge struct {
	recordings []*recording.Recording
	options    recording.Options
	program    *filter.Program
	random     *rand.Rand
}

func (j *judge) allows(t *testing.T, arch specs.Arch, nr int, args [6]uint64) bool {
	t.Helper()
	result, err := j.program.Run(filter.Call{Arch: audit[arch], Nr: uint32(nr), Args: args})
	if err != nil {
		t.Fatal(err)
	}
	return result.String() == "ALLOW"
}

// calls calls each with every call of the recordings.
func (j *judge) calls(each func(c *recording.Call)) {
	for _, r := range j.recordings {
		for i := range r.Containers {
			for k := range r.Containers[i].Calls {
				each(&r.Containers[i].Calls[k])
			}
		}
	}
}

func (j *judge) recorded(t *testing.T) {
	j.calls(func(c *recording.Call) {
		if !j.options.Runtime.Knows(c.Name) {
			return
		}
		arguments := c.Arguments
		if len(arguments) == 0 {
			arguments = []recording.Argument{{}}
		}
		for _, first := range arguments {
			var args [6]uint64
			args[first.Index] = first.Value
			for _, other := range arguments {
				if other.Index != first.Index {
					args[other.Index] = other.Value
				}
			}
			if got := j.allows(t, c.Arch, c.Nr, args); got == (c.Name == "clone3") {
				t.Errorf("%s %#x on %s: allowed is %v", c.Name, args, c.Arch, got)
			}
		}
	})
}

// others tries each number with values that were recorded and with others.
func (j *judge) others(t *testing.T) {
	for _, arch := range []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32} {
		for nr := range 560 {
			if arch == specs.ArchX32 {
				nr |= syscalls.X32Bit
			}
			name := syscalls.CallAt(arch, nr)
			for range 4 {
				args := [6]uint64{pick(j.random, someValues), pick(j.random, someValues)}
				if arch == specs.ArchX86 {
					args[0], args[1] = args[0]&(1<<32-1), args[1]&(1<<32-1)
				}
				if j.allows(t, arch, nr, args) && !j.explained(arch, name, args) {
					t.Errorf("%s (%d) %#x on %s is allowed", name, nr, args, arch)
				}
			}
		}
	}
}

var needed = strings.Fields("exit exit_group restart_syscall rt_sigreturn sigreturn clock_nanosleep futex nanosleep pause rt_sigsuspend rt_sigtimedwait sched_yield")

// explained reports whether a call may be allowed. It is written otherwise than Profile.
func (j *judge) explained(arch specs.Arch, name string, args [6]uint64) bool {
	noNewPrivileges := j.options.NoNewPrivileges != nil && *j.options.NoNewPrivileges
	runtimes := slices.Concat(needed, profile.AtStart(noNewPrivileges))
	if slices.Contains(runtimes, name) {
		return true
	}
	// On i386 a rule on a call is one on the multiplexer through which it can be made, too.
	for _, runtimes := range runtimes {
		if by := syscalls.Multiplexed[runtimes]; arch == specs.ArchX86 && by.By == name && by.Call == args[0] {
			return true
		}
	}
	var flags uint64
	ok := false
	values := [6]map[uint64]bool{}
	all := [6]int{} // containers whose recording of the call has the argument
	made := 0
	j.calls(func(c *recording.Call) {
		if c.Name == "clone" || c.Name == "clone3" {
			for _, a := range c.Arguments {
				if a.Index == 0 {
					flags |= a.Value
				}
			}
		}
		by, behind := syscalls.Multiplexed[name]
		if behind && c.Name == by.By && !slices.Contains([]string{"socket", "socketpair"}, name) {
			ok = ok || len(c.Arguments) > 0 && slices.ContainsFunc(c.Arguments, func(a recording.Argument) bool { return a.Index == 0 && a.Value == by.Call })
		}
		// A rule on a call behind a multiplexer is one on the multiplexer, too.
		if m, behind := syscalls.Multiplexed[c.Name]; arch == specs.ArchX86 && behind && m.By == name && m.Call == args[0] {
			ok = true
		}
		if c.Name != name {
			return
		}
		made++
		seen := map[uint]bool{}
		for _, a := range c.Arguments {
			if values[a.Index] == nil {
				values[a.Index] = make(map[uint64]bool)
			}
			values[a.Index][a.Value], seen[a.Index] = true, true
		}
		for index := range seen {
			all[index]++
		}
	})
	if name == "clone" {
		const some = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET
		return args[0]&some&^flags == 0
	}
	if ok || made == 0 || name == "clone3" {
		return ok
	}
	rules := 1
	for index := range values {
		if all[index] == made {
			forms := 0
			for value := range values[index] {
				forms++
				if w := region.WidthOf(name, uint(index)); w.Bits == 32 && name != "personality" && value>>31 == 1 {
					forms++
				}
			}
			rules *= forms
		}
	}
	for index := range values {
		if all[index] < made || rules > 64 {
			continue
		}
		same := func(value uint64) bool {
			signed := name != "personality" && value&^(1<<32-1) == 0 && value>>31 == 1 && args[index] == value|(1<<32-1)<<32
			return value == args[index] || signed || arch != specs.ArchX86_64 && uint32(value) == uint32(args[index]) // 32 bits are compared there
		}
		if !slices.ContainsFunc(slices.Collect(maps.Keys(values[index])), same) {
			return false
		}
	}
	return true
}
