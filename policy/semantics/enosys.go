package semantics

import (
	"runtime"

	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// oldestUnknown is the first number that some libseccomp 2.5 does not know. A
// runtime takes the highest number that its libseccomp knows, so from here on
// every name counts.
const oldestUnknown = 440

// Recent reports whether some libseccomp 2.5 may not know the name.
func Recent(name string) bool {
	nr, ok := syscalls.Number(syscalls.Native[runtime.GOARCH], name)
	return ok && nr >= oldestUnknown
}

// runc puts a stub in front of a filter that denies by default: numbers above the highest
// that the profile names get ENOSYS. policy/filter/enosys.go builds that stub, and
// policy/floor/enosys.go keeps it in the result of a floor; here is only for which numbers
// it answers.

// stubAnswers reports whether runc's stub answers for a number.
func (m *Meaning) stubAnswers(arch specs.Arch, nr int) bool {
	last := m.Last[arch]
	return last > 0 && nr > last
}

// Beyond returns what becomes of a number that no rule names.
func (m *Meaning) Beyond(arch specs.Arch, nr int) Outcome {
	if m.stubAnswers(arch, nr) {
		return Enosys
	}
	return m.Otherwise
}
