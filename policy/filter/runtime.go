package filter

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// Linked returns the libseccomp that this program links, as if it were a runtime.
var Linked = sync.OnceValue(func() syscalls.Runtime {
	major, minor, micro := libseccomp.GetLibraryVersion()
	var names []string
	for _, name := range slices.AppendSeq(profile.SyscallNames(), maps.Keys(syscalls.KnownSince())) {
		if inLinked(name) { // it knows names that Batten's table does not have: ARM's private calls
			names = append(names, name)
		}
	}
	return syscalls.RuntimeOfNames("a runtime as batten is built", fmt.Sprintf("%d.%d.%d", major, minor, micro), names)
})

func inLinked(name string) bool {
	_, err := libseccomp.GetSyscallFromName(name)
	return err == nil
}

// CompileFor returns the program that a runtime loads for s; [Compile] does that for a
// runtime with the libseccomp that this program links. It skips the names that the runtime
// skips, and compiles names that only the runtime knows by their numbers.
func CompileFor(s *specs.LinuxSeccomp, r syscalls.Runtime) (*Program, error) {
	if !r.Judged() {
		return Compile(s)
	}
	read := semantics.AsRead(s, r)
	linked := semantics.AsRead(&read, Linked())
	out, err := compile(&linked, &read)
	if err != nil {
		return nil, err
	}
	var newer []string
	for _, name := range namesOf(&read) {
		if !inLinked(name) {
			newer = append(newer, name)
		}
	}
	// If rules overlap, the loosest counts: this program is the one that must not be
	// too loose.
	return out, out.prepend(&read, newer, loosestFirst)
}

// Demand returns the program that s means: the one that a runtime loads for s, with the
// rules on names that the runtime skips, by their numbers.
func Demand(s *specs.LinuxSeccomp, r syscalls.Runtime) (*Program, error) {
	if !r.Judged() {
		r = Linked()
	}
	out, err := CompileFor(s, r)
	if err != nil {
		return nil, err
	}
	var skipped []string
	for _, name := range namesOf(s) {
		if err := numbered(s, name); err != nil {
			return nil, err
		}
		if !r.Knows(name) {
			skipped = append(skipped, name)
		}
	}
	return out, out.prepend(s, skipped, strictestFirst)
}

// numbered returns an error if s denies a name whose number is unknown: nothing can be
// proved then.
func numbered(s *specs.LinuxSeccomp, name string) error {
	if syscalls.IsSyscall(name) || inLinked(name) {
		return nil
	}
	rules, err := clauses(s, name, strictestFirst)
	allow := clause{ret: unix.SECCOMP_RET_ALLOW}
	if err != nil || !slices.ContainsFunc(rules, func(c clause) bool { return strictestFirst(c, allow) < 0 }) {
		return err
	}
	return fmt.Errorf("%q is no system call that batten knows, so a rule on it cannot be compared: correct the name, or take it out", name)
}

func namesOf(s *specs.LinuxSeccomp) (out []string) {
	for _, rule := range s.Syscalls {
		out = append(out, rule.Names...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

var errTooLong = errors.New("a rule has too many conditions to be compared by number")
