package floor_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// multiplexed are calls that i386 also has behind socketcall and ipc. What becomes of their
// arguments there is TestEditMultiplexed's.
var multiplexed = []string{"socket", "connect", "semop", "shmat"}

// editRules returns random rules for calls, which libseccomp reads as Batten does.
func editRules(r *rand.Rand, action specs.LinuxSeccompAction, errno *uint) (out []specs.LinuxSyscall) {
	names := slices.DeleteFunc(slices.Clone(filtertest.Names), func(n string) bool { return n == "nosuchcall" })
	for _, rule := range filtertest.ProfileOf(r, names).Syscalls {
		rule.Action, rule.ErrnoRet = action, errno
		if len(rule.Args) > 0 && slices.ContainsFunc(rule.Names, func(n string) bool { return slices.Contains(multiplexed, n) }) {
			rule.Args = nil
		}
		out = append(out, rule)
	}
	return out
}

// marked returns a profile that does something with the calls of rules, and allows all others.
func marked(rules []specs.LinuxSyscall, arches []specs.Arch, action specs.LinuxSeccompAction) specs.LinuxSeccomp {
	s := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: arches}
	for _, rule := range rules {
		rule.Action = action
		s.Syscalls = append(s.Syscalls, rule)
	}
	return s
}

// readAlike reports whether libseccomp reads the rules of s one by one, as edits are read.
func readAlike(s specs.LinuxSeccomp) bool {
	m, err := semantics.Understand(semantics.NewWork(), &s, specs.ArchX86_64)
	if err != nil || m.Split || len(m.Misread) > 0 || filtertest.MayNotReturn(s) {
		return false
	}
	for _, arch := range m.Arches {
		for name := range m.Clauses {
			if semantics.Entangled(m.Clauses[name]) || semantics.Halved(m.Clauses[name]) {
				return false
			}
			if _, clear := m.On(arch, name); !clear {
				return false
			}
		}
	}
	return true
}

// Edit does what the compiled programs of the profile, of allow and of deny say together, for
// every call there is.
func TestEditOfRandomProfiles(t *testing.T) {
	count, pairs := judgement{}, filtertest.Few(*pairs)
	for i := range pairs {
		r := rand.New(rand.NewPCG(*seed+100, uint64(i)))
		p, errno := filtertest.Profile(r), filtertest.Pick(r, []uint{1, 38, 13})
		e := semantics.Edits{Allow: editRules(r, specs.ActAllow, nil), Deny: editRules(r, specs.ActErrno, &errno)}
		allow, deny := marked(e.Allow, p.Architectures, specs.ActKillProcess), marked(e.Deny, p.Architectures, specs.ActErrno)
		if filtertest.MayNotReturn(p) || !readAlike(allow) || !readAlike(deny) {
			count["not judged: libseccomp reads an input otherwise"]++
			continue
		}
		kind, details := judgeEdit(t, p, e, allow, deny)
		if kind == "" {
			kind = "not judged: libseccomp refuses an input"
		}
		count[kind]++
		if (kind == wrong || kind == unclean) && count[kind] < 4 {
			t.Errorf("pair %d: %s: %s\nprofile %s\nallow %s\ndeny %s", i, kind, details, text(p), text(allow), text(deny))
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		t.Logf("%6d %s", count[kind], kind)
	}
	if count[exact] < pairs/10 {
		t.Errorf("only %d of %d are exact: the generator or Edit is off", count[exact], pairs)
	}
}

// judgeEdit compiles all and compares them by the prover, in three parts: where allow does not
// match, the result is the profile met with deny; where allow matches and deny does not, the result
// allows; and it is nowhere looser than deny.
func judgeEdit(t *testing.T, p specs.LinuxSeccomp, e semantics.Edits, allow, deny specs.LinuxSeccomp) (kind, details string) {
	t.Helper()
	traced := marked(e.Allow, p.Architectures, specs.ActTrace)
	var programs []*filter.Program
	for _, s := range []specs.LinuxSeccomp{p, allow, deny, traced} {
		program, err := filter.Compile(&s)
		if err != nil {
			return "", ""
		}
		programs = append(programs, program)
	}
	own, outside, denied, inside := programs[0], programs[1], programs[2], programs[3]
	out, notes, err := floor.Edit(p, e, floor.Limits{})
	if err != nil {
		return refused, err.Error()
	}
	program, err := filter.Compile(&out)
	if err != nil {
		return unclean, "does not compile: " + err.Error()
	}
	elsewhere, err := filter.Deviations(filter.Stack{outside, own}, filter.Stack{denied}, filter.Stack{outside, program})
	if err != nil {
		t.Fatal(err)
	}
	looser, err := filter.Deviations(filter.Stack{denied}, filter.Stack{program}, filter.Stack{program})
	if err != nil {
		t.Fatal(err)
	}
	within, err := filter.Pairs(filter.Stack{inside, denied}, filter.Stack{program})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range within {
		if strings.HasPrefix(w.First.String(), "TRACE") && w.Second.String() != "ALLOW" && w.Syscall != "" {
			w.First = filter.Result{Action: unix.SECCOMP_RET_ALLOW}
			elsewhere = append(elsewhere, filter.Deviation{Witness: w})
		}
	}
	kind = exact
	for _, d := range append(elsewhere, looser...) {
		if k := deviationOfEdit(d, p, out, notes); slices.Index(order, k) > slices.Index(order, kind) {
			kind, details = k, d.Witness.String()
		}
	}
	return kind, details
}

var archOf = map[string]specs.Arch{"amd64": specs.ArchX86_64, "x86": specs.ArchX86, "x32": specs.ArchX32}

// deviationOfEdit is the kind of one.
func deviationOfEdit(d filter.Deviation, p, out specs.LinuxSeccomp, notes []string) string {
	arch := archOf[d.Arch]
	named := slices.ContainsFunc(p.Syscalls, func(r specs.LinuxSyscall) bool { return slices.Contains(r.Names, d.Syscall) })
	denied := !permits(d.First) && !permits(d.Second)
	switch {
	case denied && (d.Syscall == "" || !filter.Linked().Knows(d.Syscall) || !named):
		return residue
	case arch != specs.ArchX86_64 && !permits(d.Second) && !slices.Contains(p.Architectures, arch):
		return thread
	case arch != specs.ArchX86_64 && !permits(d.Second) && !slices.Contains(out.Architectures, arch):
		return leftOut
	case arch == specs.ArchX86 && semantics.IsMultiplexer(d.Syscall) && permits(d.First) && permits(d.Second):
		return stricter // no rule allows what is allowed by default, so it is logged
	case d.Looser && !denied:
		return wrong
	case d.First.Action == d.Second.Action && arch != specs.ArchX86_64:
		return residue
	case strings.Contains(strings.Join(notes, "\n"), "overlap"):
		return ambiguous
	case d.Looser, arch == specs.ArchX86_64:
		return wrong
	}
	return stricter
}
