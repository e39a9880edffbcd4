package floor

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Edit returns the profile that does what p does, but for the calls that the edits allow or deny.
// Its architectures, flags and listener are those of p. Of a call that p does not name and the
// edits do not name, the errno may differ, see [Floor].
//
// Notes say where the result is not exact; it is stricter there, as in [Floor].
//
// It is an error if runc would refuse p, if the edits have rules that runc would refuse, or if
// the result or the work exceeds what Floor takes.
func Edit(p specs.LinuxSeccomp, edits semantics.Edits, limits Limits) (out specs.LinuxSeccomp, notes []string, err error) {
	native := syscalls.Native[runtime.GOARCH]
	w := semantics.NewWork()
	rules := edits.Encode()
	if err := cmp.Or(semantics.Said("the profile", semantics.CheckSize(&p)), semantics.Said("allow and deny", semantics.CheckSize(&rules))); err != nil {
		return out, nil, err
	}
	own, err := semantics.Understand(w, &p, native)
	if err != nil {
		return out, nil, fmt.Errorf("the profile: %w", err)
	}
	rules.DefaultAction = specs.ActKillProcess
	asked, err := semantics.Understand(w, &rules, native)
	if err != nil {
		return out, nil, fmt.Errorf("allow and deny: %w", err)
	}
	m := &flooring{
		work: w, limits: limits.orDefaults(), floor: own, own: own, edits: &edits, names: semantics.Names(own, asked),
		otherwise: own.Otherwise, explicit: make(map[string][]semantics.Clause), markers: make(map[string]bool),
	}
	if err := m.commonArches(native); err != nil {
		return out, nil, err
	}
	if slices.Contains(m.arches, specs.ArchX86) {
		m.sayMultiplexed()
	}
	if m.unchanged(p) {
		return p, m.notes, w.Err()
	}
	if err := m.compute(); err != nil {
		return out, nil, cmp.Or(w.Err(), err)
	}
	out = specs.LinuxSeccomp{Flags: slices.Clone(p.Flags), ListenerPath: p.ListenerPath, ListenerMetadata: p.ListenerMetadata}
	out.DefaultAction, out.DefaultErrnoRet = m.otherwise.Action()
	out.Architectures = m.listed(p.Architectures)
	out.Syscalls = m.rules()
	if err := settleListener(&out); err != nil {
		return out, nil, err
	}
	if err := cmp.Or(m.legible(out), w.Err()); err != nil {
		return out, nil, err
	}
	return out, m.notes, nil
}

// edited returns a call's function with the edits.
func (m *flooring) edited(w *semantics.Budget, own semantics.Function, arch specs.Arch, name string) semantics.Function {
	want := w.Edit(own, arch, name, *m.edits)
	if o, one := want.Constant(w); one {
		want = semantics.Constant(own.Whole, o)
	}
	return want
}

// sayMultiplexed notes the edits that look at arguments which i386's programs may have in memory.
func (m *flooring) sayMultiplexed() {
	say := func(rules []specs.LinuxSyscall, format string) {
		var names []string
		for _, rule := range rules {
			for _, name := range rule.Names {
				if _, multiplexed := syscalls.Multiplexed[name]; multiplexed && len(rule.Args) > 0 && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
		if len(names) > 0 {
			m.note(format, strings.Join(names, ", "))
		}
	}
	say(m.edits.Deny, "deny: 32-bit programs that make %s through socketcall or ipc are denied it whatever its arguments, which no filter sees there")
	if slices.ContainsFunc(semantics.Edits{Deny: m.edits.Deny}.Names(), func(name string) bool { return syscalls.Multiplexed[name].By == "ipc" }) {
		m.note("deny: 32-bit programs are denied ipc with a version in the high half of its first argument, where each call behind it could hide")
	}
	say(m.edits.Allow, "allow: 32-bit programs that make %s through socketcall or ipc are not allowed it, since no filter sees its arguments there")
}

// raiseEdited moves the bound of the result's stub on arch above each call of the edits for
// which the stub would give another answer.
func (m *flooring) raiseEdited(arch specs.Arch) {
	if m.edits == nil {
		return
	}
	names := m.edits.Names()
	if arch == specs.ArchX86 {
		names = append(names, semantics.MultiplexerNames...)
	}
	for _, name := range names {
		nr, ok := syscalls.Number(arch, name)
		if !ok || m.result().Beyond(arch, nr) == m.otherwise {
			continue
		}
		w := m.work.One()
		own, _ := m.own.On(arch, name)
		if want := m.edited(&w, own, arch, name); !w.Same(want, semantics.Constant(want.Whole, semantics.Enosys)) {
			m.raise(arch, nr)
		}
	}
}
