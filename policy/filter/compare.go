package filter

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/batten-runtime/batten/policy/syscalls"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// Witness is one call on which two filters differ.
type Witness struct {
	// Arch is the ABI in libseccomp's words (amd64, x86, x32, …), or "other"
	// for one that neither filter names.
	Arch string
	// Syscall is the call's name, empty if the number has none.
	Syscall string
	Call    Call
	// First and Second are what the two do.
	First, Second Result
}

func (w *Witness) String() string {
	return fmt.Sprintf("%s on %s: %s against %s", w.describe(), w.Arch, w.First, w.Second)
}

// describe returns the call in words, with the arguments that are not zero.
func (w *Witness) describe() string {
	args := w.args()
	last := 0
	for i, arg := range w.Call.Args {
		if arg != 0 {
			last = i + 1
		}
	}
	name := w.Syscall
	if name == "" {
		name = fmt.Sprintf("syscall %#x", w.Call.Nr)
	}
	return fmt.Sprintf("%s(%s)", name, strings.Join(args[:last], ", "))
}

// args returns the arguments in hexadecimal.
func (w *Witness) args() (out []string) {
	for _, arg := range w.Call.Args {
		out = append(out, fmt.Sprintf("%#x", arg))
	}
	return out
}

// MarshalJSON writes the arguments in hexadecimal.
func (w *Witness) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Arch    string   `json:"arch"`
		Syscall string   `json:"syscall,omitempty"`
		Number  uint32   `json:"number"`
		Args    []string `json:"args"`
		First   string   `json:"first"`
		Second  string   `json:"second"`
	}{w.Arch, w.Syscall, w.Call.Nr, w.args(), w.First.String(), w.Second.String()})
}

// abi returns the architecture that a call is made through, and libseccomp's name for it.
func abi(arch, nr uint32) (libseccomp.ScmpArch, string) {
	if arch == unix.AUDIT_ARCH_X86_64 && nr&x32Bit != 0 {
		return libseccomp.ArchX32, "x32"
	}
	for a, audit := range auditArch {
		if audit == arch && a != libseccomp.ArchX32 {
			return a, a.String()
		}
	}
	return libseccomp.ArchInvalid, fmt.Sprintf("arch %#x", arch)
}

// syscallName returns the name of a number, empty where libseccomp has none.
func syscallName(arch, nr uint32) string {
	a, _ := abi(arch, nr)
	if a == libseccomp.ArchInvalid || int32(nr) < 0 {
		return ""
	}
	if name, err := libseccomp.ScmpSyscall(nr).GetNameByArch(a); err == nil {
		return name
	}
	return syscalls.CallAt(specArch(a), int(nr)) // newer than the library
}

// witness returns a call in c for which predicate holds, with the results of two functions
// for it.
func (t *table) witness(c cell, predicate, first, second ref) *Witness {
	call := Call{Arch: c.arch, Nr: c.nr}
	t.find(predicate, &call)
	_, arch := abi(c.arch, c.nr)
	w := &Witness{Arch: arch, Syscall: syscallName(c.arch, c.nr), Call: call, First: t.at(first, call), Second: t.at(second, call)}
	if c.other {
		w.Arch, w.Syscall = "other", ""
	}
	return w
}

// first returns a witness for the first cell in which op holds somewhere.
func (t *table) first(op uint8) *Witness {
	for _, c := range t.cells {
		if p := t.apply(op, c.values[0], c.values[1]); p != no {
			return t.witness(c, p, c.values[0], c.values[1])
		}
	}
	return nil
}

// Equal compares what the kernel does under a and under b for every call:
// arch, number, arguments, and errnos too. It returns nil if they are equal,
// else a call on which they differ. Errors are filters that cannot be judged.
func Equal(a, b Stack) (w *Witness, err error) {
	defer limited(&err)
	t, err := tabulate(a, b)
	if err != nil {
		return nil, err
	}
	return t.first(opDiffer), nil
}

// Subsumes reports whether s is nowhere looser than floor, in the kernel's
// order of actions. It returns nil if so, else a call for which it is, First
// being the floor's action. ENOSYS counts as strict for a number that no kernel has.
func Subsumes(floor, s Stack) (w *Witness, err error) {
	defer limited(&err)
	t, err := tabulate(floor, s)
	if err != nil {
		return nil, err
	}
	for _, c := range t.cells {
		if p := t.apply(opLooser, c.values[0], c.values[1]); p != no && !(c.vacant() && c.values[1] == t.leaf(enosys)) {
			return t.witness(c, p, c.values[0], c.values[1]), nil
		}
	}
	return nil, nil
}

// enosys is what a kernel answers to a number that it has no call for, and runc's stub.
var enosys = Result{unix.SECCOMP_RET_ERRNO, uint16(unix.ENOSYS)}

// vacant reports whether no kernel has calls of the cell's numbers: those of x86_64 with bit 31 and
// without x32's. A filter that does not list x32 kills them, and runc's stub comes before it.
func (c cell) vacant() bool {
	return c.arch == unix.AUDIT_ARCH_X86_64 && c.nr>>30 == 2 && c.last>>30 == 2
}

// Deviation is a call on which a filter does not do what floor and own
// together would.
type Deviation struct {
	// Witness has in First what the two do together, in Second what the filter
	// does.
	Witness
	// Looser is set where the filter is looser than the two.
	Looser bool
}

// Deviations compares out with the intersection of floor and own. It returns nothing if out
// does for every call what the kernel does with both installed, floor first. It computes the
// intersection from the compiled programs, so that it does not depend on how out was
// computed. There is one deviation for each architecture, group of numbers, and whether out
// is looser there.
func Deviations(floor, own, out Stack) (deviations []Deviation, err error) {
	return deviationsFrom(opMeet, floor, own, out)
}

// UnionDeviations is [Deviations] from the union: what the looser of the two programs does with
// each call, at a tie own. Witnesses have in First what the union does.
func UnionDeviations(other, own, out Stack) (deviations []Deviation, err error) {
	return deviationsFrom(opJoin, other, own, out)
}

func deviationsFrom(op uint8, floor, own, out Stack) (deviations []Deviation, err error) {
	defer limited(&err)
	t, err := tabulate(floor, own, out)
	if err != nil {
		return nil, err
	}
	for _, c := range t.cells {
		want := t.apply(op, c.values[0], c.values[1])
		differ := t.apply(opDiffer, want, c.values[2])
		if differ == no {
			continue
		}
		looser := t.apply(opLooser, want, c.values[2])
		for _, predicate := range []ref{looser, t.ite(looser, no, differ)} {
			if predicate == no {
				continue
			}
			w := t.witness(c, predicate, want, c.values[2])
			deviations = append(deviations, Deviation{Witness: *w, Looser: predicate == looser})
		}
	}
	return deviations, nil
}
