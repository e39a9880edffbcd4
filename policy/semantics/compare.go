package semantics

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Comparison is what [CompareLive] found.
type Comparison struct {
	// Looser is the first call that the filter treats looser than the profile, nil if
	// there is none.
	Looser *Difference
	// Skipped are the names whose rules the runtime has skipped, sorted, if that makes
	// the filter looser than the profile: its libseccomp does not know these names.
	Skipped []string
	// Other is the first call that the filter treats differently, but not looser.
	Other *Difference
	// Calls is how many calls were compared. Unclear are the system calls that were
	// not, because their rules have more than one meaning.
	Calls   int
	Unclear []string
}

// Difference is one call that a filter does not treat as a profile says.
type Difference struct {
	Arch      specs.Arch
	Call      bpf.Call
	Name      string // empty for a number that no call has
	want, got Outcome
}

func (d *Difference) String() string {
	name := d.Name
	if name == "" {
		name = fmt.Sprintf("call %d", d.Call.Nr)
	}
	return fmt.Sprintf("%s(%#x, %#x, %#x, %#x, %#x, %#x) on %s: %s, and the profile says %s", name,
		d.Call.Args[0], d.Call.Args[1], d.Call.Args[2], d.Call.Args[3], d.Call.Args[4], d.Call.Args[5], d.Arch, d.got, d.want)
}

// CompareLive compares a filter that the kernel holds with the profile that a runtime has
// made it from. It compares every system call of each architecture, with arguments on both
// sides of every condition of the filter and of the profile, and numbers that no call has.
//
// Where runtimes differ, either way is accepted: runc's ENOSYS stub, and names that an older
// libseccomp does not know. If it is not certain what libseccomp makes of a system call's
// rules, that call is not compared. This is no proof of equality; policy/filter has one.
func CompareLive(s *specs.LinuxSeccomp, live bpf.Program) (*Comparison, error) {
	if machineArches[runtime.GOARCH] == nil {
		return nil, fmt.Errorf("the numbers of system calls on %s are unknown to Batten", runtime.GOARCH)
	}
	m, err := Understand(NewWork(), s, syscalls.Native[runtime.GOARCH])
	if err != nil {
		return nil, err
	}
	c := &comparing{Meaning: m, live: live, out: new(Comparison), foreign: m.foreign()}
	for _, arch := range machineArches[runtime.GOARCH] {
		switch {
		case !slices.Contains(m.Arches, arch):
			c.unlisted(arch)
		case slices.Contains(m.Misread, arch):
			c.out.Unclear = append(c.out.Unclear, string(arch))
		default:
			c.arch(arch)
		}
	}
	slices.Sort(c.out.Skipped)
	c.out.Skipped = slices.Compact(c.out.Skipped)
	slices.Sort(c.out.Unclear)
	c.out.Unclear = slices.Compact(c.out.Unclear)
	return c.out, nil
}

// machineArches are the architectures that a machine's kernel may run, as far as the
// table knows their numbers.
var machineArches = map[string][]specs.Arch{
	"amd64": {specs.ArchX86_64, specs.ArchX86, specs.ArchX32},
	"arm64": {specs.ArchAARCH64, specs.ArchARM},
}

var auditArch = map[specs.Arch]uint32{
	specs.ArchX86_64: unix.AUDIT_ARCH_X86_64, specs.ArchX32: unix.AUDIT_ARCH_X86_64, specs.ArchX86: unix.AUDIT_ARCH_I386,
	specs.ArchAARCH64: unix.AUDIT_ARCH_AARCH64, specs.ArchARM: unix.AUDIT_ARCH_ARM,
}

// comparing is the work of one call of CompareLive.
type comparing struct {
	*Meaning
	live    bpf.Program
	out     *Comparison
	foreign []Outcome
}

// foreign returns the outcomes of rules on names that the table does not have: a newer
// libseccomp may know their numbers.
func (m *Meaning) foreign() (out []Outcome) {
	for name, clauses := range m.Clauses {
		if _, known := syscalls.Arches(name); known {
			continue
		}
		for _, c := range clauses {
			out = append(out, c.Outcome)
		}
	}
	return out
}

// unlisted checks that the filter kills calls through an architecture that the profile does
// not list.
func (c *comparing) unlisted(arch specs.Arch) {
	want := Outcome{Order: orderKillThread}
	for nr := range 500 {
		call := bpf.Call{Arch: auditArch[arch], Nr: uint32(nr)}
		if arch == specs.ArchX32 {
			call.Nr |= syscalls.X32Bit
		}
		if got := c.ask(call); got.Order > want.Order {
			c.differs(arch, "", call, want, got)
		}
	}
}

// arch compares every number of one architecture, and some numbers above.
func (c *comparing) arch(arch specs.Arch) {
	byNumber := make(map[int][]string, len(syscalls.Table))
	last := 0
	for _, e := range syscalls.Table {
		if nr, ok := syscalls.Number(arch, e.Name); ok && !slices.Contains(NoCalls, e.Name) {
			byNumber[nr] = append(byNumber[nr], e.Name)
			last = max(last, nr&^syscalls.X32Bit)
		}
	}
	for nr := range last + 20 {
		if arch == specs.ArchX32 {
			nr |= syscalls.X32Bit
		}
		names := byNumber[nr]
		if len(names) > 1 {
			names = slices.DeleteFunc(names, func(name string) bool { return len(c.rules(arch, name)) == 0 })
		}
		switch len(names) {
		case 0:
			c.unnamed(arch, nr)
		case 1:
			c.named(arch, nr, names[0])
		default:
			c.out.Unclear = append(c.out.Unclear, names...)
		}
	}
}

// NoCalls are names in the table that are no calls, but constants of the kernel's headers.
var NoCalls = []string{"arch_specific_syscall", "syscall_mask"}

// unnamed compares a number for which the table has no call.
func (c *comparing) unnamed(arch specs.Arch, nr int) {
	accepted := append(slices.Clone(c.foreign), c.Otherwise)
	if c.Otherwise.HasStub() {
		accepted = append(accepted, Enosys)
	}
	for _, call := range calls(auditArch[arch], nr, whole(arch), nil, Function{}, c.live) {
		if got := c.ask(call); !slices.Contains(accepted, got) {
			c.differs(arch, "", call, c.Otherwise, got)
		}
	}
}

// named compares one system call.
func (c *comparing) named(arch specs.Arch, nr int, name string) {
	clauses := c.rules(arch, name)
	want, clear := c.function(arch, clauses)
	if !clear || len(want.Pieces) > maxPieces {
		c.out.Unclear = append(c.out.Unclear, name)
		return
	}
	var differences []*Difference
	skipped, stubbed := true, c.Otherwise.HasStub()
	for _, call := range calls(auditArch[arch], nr, whole(arch), clauses, want, c.live) {
		got, wanted := c.ask(call), want.at(call.Args)
		skipped, stubbed = skipped && got == c.Otherwise, stubbed && got == Enosys
		if got != wanted {
			differences = append(differences, &Difference{arch, call, name, wanted, got})
		}
	}
	unknown := (skipped || stubbed) && len(clauses) > 0 && MayBeSkipped(arch, nr)
	switch {
	case len(differences) == 0:
	case stubbed && (c.stubAnswers(arch, nr) || len(clauses) == 0):
	case arch == specs.ArchX32 && (skipped || stubbed): // the table has x86_64's names
	case unknown && slices.ContainsFunc(differences, looser):
		c.out.Skipped = append(c.out.Skipped, name)
	case unknown:
	default:
		for _, d := range differences {
			c.differs(arch, name, d.Call, d.want, d.got)
		}
	}
}

// MayBeSkipped reports whether a runtime in use may not know the name of a number:
// from 403 on all architectures give a new call one number (Linux 5.1), but for two of
// x86_64 that filled a gap.
func MayBeSkipped(arch specs.Arch, nr int) bool {
	nr &^= syscalls.X32Bit
	return nr >= 403 || syscalls.Is64(arch) && (nr == 335 || nr == 336) // uretprobe, uprobe
}

// rules returns the rules on a call by name and, on i386's multiplexers, on those behind
// them.
func (m *Meaning) rules(arch specs.Arch, name string) []Clause {
	if arch == specs.ArchX86 && IsMultiplexer(name) {
		return m.multiplexer(name)
	}
	return m.Clauses[name]
}

func looser(d *Difference) bool { return d.got.Order > d.want.Order }

func (c *comparing) differs(arch specs.Arch, name string, call bpf.Call, want, got Outcome) {
	d := &Difference{arch, call, name, want, got}
	// Where runc's stub would answer, an error is as good as any other denial.
	stubbed := got.Order <= OrderErrno && c.stubAnswers(arch, int(call.Nr))
	switch {
	case looser(d) && !stubbed && c.out.Looser == nil:
		c.out.Looser = d
	case (!looser(d) || stubbed) && c.out.Other == nil:
		c.out.Other = d
	}
}

// ask returns what the filter says to a call.
func (c *comparing) ask(call bpf.Call) Outcome {
	c.out.Calls++
	return outcomeOfReturn(c.live.Run(call))
}
