package suggest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A proof holds a profile against the one that it was made of.
type proof struct {
	base, next *specs.LinuxSeccomp
	calls      []Call
	native     specs.Arch
	// newerOnes are names with a rule for ENOSYS, because that is what one architecture says.
	// Another may have said another errno.
	newerOnes map[string]bool
}

// understood returns what both profiles mean.
func (p *proof) understood() (before, after *semantics.Meaning, err error) {
	if before, err = semantics.Understand(semantics.NewWork(), p.base, p.native); err != nil {
		return nil, nil, err
	}
	after, err = semantics.Understand(semantics.NewWork(), p.next, p.native)
	return before, after, err
}

// newer returns the names that the old profile leaves to the runtime's ENOSYS, because they are
// newer than all that it names, and the new one would deny by its default action: it names a
// newer call.
func (p *proof) newer() (out []string, err error) {
	before, after, err := p.understood()
	if err != nil {
		return nil, err
	}
	for _, e := range syscalls.Table {
		if _, behind := syscalls.Multiplexed[e.Name]; behind || p.opens(e.Name) {
			continue
		}
		for _, arch := range before.Arches {
			if _, ok := syscalls.Number(arch, e.Name); !ok {
				continue
			}
			w := semantics.NewWork().One()
			f, _ := before.On(arch, e.Name)
			g, _ := after.On(arch, e.Name)
			if o, whole := f.Constant(&w); whole && o == semantics.Enosys && !w.Same(f, g) {
				out = append(out, e.Name)
				break
			}
		}
	}
	return out, nil
}

func (p *proof) opens(name string) bool {
	return slices.ContainsFunc(p.calls, func(c Call) bool { return c.Name == name })
}

var errBudget = errors.New("its rules have too many conditions to prove what a line changes")

// holds returns nil if the new profile allows the calls, and is the old one for all others.
func (p *proof) holds() error {
	before, after, err := p.understood()
	if err != nil {
		return err
	}
	// The marker allows exactly the calls. For all others it says Log, to which runtimes add
	// no ENOSYS.
	marker, err := semantics.Understand(semantics.NewWork(), &specs.LinuxSeccomp{
		DefaultAction: specs.ActLog, Architectures: p.base.Architectures, Syscalls: rulesFor(p.calls),
	}, p.native)
	if err != nil {
		return err
	}
	marker.Misread = nil // it is never compiled
	names := semantics.Names(before, after)
	for _, e := range syscalls.Table {
		names = append(names, e.Name)
	}
	for _, name := range names {
		for _, arch := range before.Arches {
			if err := p.same(arch, name, before, after, marker); err != nil {
				return err
			}
		}
	}
	return nil
}

// same proves one call on one architecture.
func (p *proof) same(arch specs.Arch, name string, before, after, marker *semantics.Meaning) error {
	w := semantics.NewWork().One()
	f, clearBefore := before.On(arch, name)
	g, clear := after.On(arch, name)
	if !w.Same(f, g) && !clear && clearBefore {
		return fmt.Errorf("with a line for it, rules on %s overlap, or libseccomp misreads them on %s", name, arch)
	}
	if !p.opens(name) {
		if arch == specs.ArchX86 && semantics.IsMultiplexer(name) && p.behind(name) {
			return nil // what is opened is opened by socketcall or ipc as well
		}
		if w.Somewhere(f, g, func(f, g semantics.Outcome) bool { return f != g && !p.otherErrno(name, f, g) }) {
			return spent(&w, fmt.Errorf("a line for it changes %s on %s", name, arch))
		}
		return nil
	}
	m, _ := marker.On(arch, name)
	// Where the marker allows, the new profile must; elsewhere it must be the old one.
	if w.Somewhere(m, g, func(m, g semantics.Outcome) bool {
		return m == semantics.Allow && g.Denies() && (g != semantics.Enosys || !p.elsewhere(name, arch))
	}) {
		return spent(&w, fmt.Errorf("rules of the profile deny it whatever a line says, or it denies by conditions: change the rule on %s by hand", name))
	}
	outside := m.Map(func(o semantics.Outcome) semantics.Outcome {
		if o == semantics.Allow {
			return semantics.Outcome{Order: semantics.OrderKillProcess}
		}
		return semantics.Allow
	})
	if !w.Same(w.Meet(f, outside), w.Meet(g, outside)) {
		return spent(&w, fmt.Errorf("a line for it changes other calls of %s on %s", name, arch))
	}
	return nil
}

// otherErrno reports whether a call is denied as before, with an errno that may be another.
func (p *proof) otherErrno(name string, f, g semantics.Outcome) bool {
	if _, behind := syscalls.Multiplexed[name]; behind { // a rule would change the multiplexer
		return f == semantics.Enosys && g.Order == semantics.OrderErrno
	}
	return p.newerOnes[name] && f.Order == semantics.OrderErrno && g == semantics.Enosys
}

// elsewhere reports whether 32-bit programs have a call through a multiplexer, and none was denied
// it by its own number. runc takes no notice of a rule on it where it says ENOSYS of numbers that
// are newer than all that the profile names.
func (p *proof) elsewhere(name string, arch specs.Arch) bool {
	return arch == specs.ArchX86 && syscalls.Multiplexed[name].By != "" && !slices.ContainsFunc(p.calls, func(c Call) bool {
		return c.Name == name && slices.Contains(c.arches, arch)
	})
}

// behind reports whether an opened call is one of a multiplexer's.
func (p *proof) behind(multiplexer string) bool {
	return slices.ContainsFunc(p.calls, func(c Call) bool { return syscalls.Multiplexed[c.Name].By == multiplexer })
}

// also says what opens on i386 together with a call.
func (p *proof) also(name string) (string, error) {
	by := syscalls.Multiplexed[name].By
	before, after, err := p.understood()
	if err != nil || by == "" || !slices.Contains(before.Arches, specs.ArchX86) {
		return "", err
	}
	w := semantics.NewWork().One()
	f, _ := before.On(specs.ArchX86, by)
	g, _ := after.On(specs.ArchX86, by)
	if w.Same(f, g) {
		return "", nil
	}
	return "32-bit programs get it through " + by + ", there whatever its arguments", nil
}

func spent(w *semantics.Budget, err error) error {
	if w.Spent() {
		return errBudget
	}
	return err
}
