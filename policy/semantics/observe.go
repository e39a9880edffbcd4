package semantics

import (
	"slices"

	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Outcomes of a profile that observes what another one denies.
var (
	Notify = Outcome{Order: orderNotify}
	Log    = Outcome{Order: orderLog}
	Allow  = Outcome{Order: orderAllow}
)

// Denies reports whether the kernel does not make the call, whoever may listen: it ends the
// program, sends a signal, or returns an errno.
func (o Outcome) Denies() bool { return o.Order <= OrderErrno }

// Map returns f with each outcome replaced.
func (f Function) Map(replace func(Outcome) Outcome) Function {
	out := Function{Whole: f.Whole, Pieces: make([]piece, len(f.Pieces)), Otherwise: replace(f.Otherwise)}
	for i, p := range f.Pieces {
		out.Pieces[i] = piece{p.box, replace(p.Outcome)}
	}
	return out
}

// Has reports whether some call has an outcome that is asked for. It is true where the
// budget is spent.
func (w *Budget) Has(f Function, asked func(Outcome) bool) bool {
	return w.Somewhere(f, Constant(f.Whole, Outcome{}), func(o, _ Outcome) bool { return asked(o) })
}

// At returns what becomes of a call with these arguments. On a 32-bit architecture the low
// halves count.
func (f Function) At(args [6]uint64) Outcome {
	for i := range args {
		args[i] &= f.Whole.High
	}
	return f.at(args)
}

// Arguments returns the arguments by index, in order, that the outcome depends on: the others
// make no difference.
func (f Function) Arguments() (out []uint) {
	for i := range uint(6) {
		if slices.ContainsFunc(f.Pieces, func(p piece) bool { return p.box[i] != f.Whole }) {
			out = append(out, i)
		}
	}
	return out
}

// Numbered is a system call as a filter sees it, without its arguments: what the kernel
// writes into struct seccomp_data.
type Numbered struct {
	Arch uint32 // AUDIT_ARCH_*
	Nr   uint32
}

// NumberedCall returns the call without its arguments.
func NumberedCall(c bpf.Call) Numbered { return Numbered{c.Arch, c.Nr} }

// ArchOf returns the architecture of a call; ok is false if Batten does not know it.
func (n Numbered) ArchOf() (arch specs.Arch, ok bool) {
	if n.Arch == unix.AUDIT_ARCH_X86_64 && n.Nr&syscalls.X32Bit != 0 {
		return specs.ArchX32, true
	}
	for arch, audit := range auditArch {
		if audit == n.Arch && arch != specs.ArchX32 {
			return arch, true
		}
	}
	return "", false
}

// MachineArches returns the architectures whose programs the kernel of a machine with
// Go's goarch may run, as far as Batten knows them.
func MachineArches(goarch string) []specs.Arch { return machineArches[goarch] }
