package floor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// rules returns the entries of syscalls: first the rules on multiplexers, then names without
// conditions by outcome, then names with conditions, in one entry if their rules are the
// same, then the markers.
func (m *flooring) rules() []specs.LinuxSyscall {
	var out []specs.LinuxSyscall
	add := func(names []string, c semantics.Clause) {
		action, errno := c.Outcome.Action()
		out = append(out, specs.LinuxSyscall{Names: names, Action: action, ErrnoRet: errno, Args: c.Conds})
	}
	for _, f := range m.front {
		add([]string{f.name}, f.Clause)
	}
	plain := make(map[semantics.Outcome][]string)
	var others []group
	at := make(map[string]int)
	for _, name := range m.names {
		clauses := m.explicit[name]
		switch {
		case len(clauses) == 0:
		case len(clauses) == 1 && len(clauses[0].Conds) == 0:
			plain[clauses[0].Outcome] = append(plain[clauses[0].Outcome], name)
		default:
			key := groupKey(clauses)
			if _, known := at[key]; !known {
				at[key] = len(others)
				others = append(others, group{clauses: clauses})
			}
			others[at[key]].names = append(others[at[key]].names, name)
		}
	}
	for _, o := range slices.SortedFunc(maps.Keys(plain), looseFirst) {
		add(plain[o], semantics.Clause{Outcome: o})
	}
	for _, g := range others {
		for _, c := range g.clauses {
			add(g.names, c)
		}
	}
	if len(m.markers) > 0 {
		add(slices.Sorted(maps.Keys(m.markers)), semantics.Clause{Outcome: m.otherwise})
	}
	return out
}

// group is a set of names that have the same rules.
type group struct {
	names   []string
	clauses []semantics.Clause
}

func groupKey(clauses []semantics.Clause) string {
	var key []byte
	for _, c := range clauses {
		key = append(strconv.AppendUint(append(key, ';'), uint64(c.Outcome.Order), 10), '/')
		key = strconv.AppendUint(key, uint64(c.Outcome.Data), 10)
		for _, a := range c.Conds {
			key = append(append(key, ','), a.Op...)
			key = strconv.AppendUint(append(key, ' '), uint64(a.Index), 10)
			key = strconv.AppendUint(append(key, ' '), a.Value, 10)
			key = strconv.AppendUint(append(key, ' '), a.ValueTwo, 10)
		}
	}
	return string(key)
}

func looseFirst(a, b semantics.Outcome) int {
	return cmp.Or(cmp.Compare(b.Order, a.Order), cmp.Compare(a.Data, b.Data))
}

// result returns what the rules so far mean to libseccomp.
func (m *flooring) result() *semantics.Meaning {
	if m.read == nil {
		action, errno := m.otherwise.Action()
		// The rules are Floor's own, so that runc takes them.
		m.read, _ = semantics.Understand(m.work, &specs.LinuxSeccomp{
			DefaultAction: action, DefaultErrnoRet: errno, Architectures: m.arches, Syscalls: m.rules(),
		}, m.arches[0])
	}
	return m.read
}

// Defaults of [Limits].
const (
	defaultRules        = 4096
	defaultInstructions = 4096
)

func (l Limits) orDefaults() Limits {
	l.Rules, l.Instructions = cmp.Or(l.Rules, defaultRules), cmp.Or(l.Instructions, defaultInstructions)
	return l
}

// within returns an error if rules exceed limits; it names the syscalls that need most.
func (m *flooring) within(rules []specs.LinuxSyscall) error {
	limits := m.limits
	count, instructions := 0, 32
	cost := make(map[string]int)
	for _, rule := range rules {
		each := 0
		for _, arch := range m.arches {
			each += instructionsFor(rule.Args, syscalls.Is64(arch))
		}
		for _, name := range rule.Names {
			count++
			cost[name] += each
			instructions += each
		}
	}
	if limits.Coarse { // whose caller proves what is compiled
		instructions, _ = semantics.Size(rules, m.arches)
	}
	if count <= limits.Rules && instructions <= limits.Instructions {
		return nil
	}
	most := slices.SortedFunc(maps.Keys(cost), func(a, b string) int {
		return cmp.Or(cmp.Compare(cost[b], cost[a]), cmp.Compare(a, b))
	})
	what := fmt.Sprintf("%d rules, more than %d", count, limits.Rules)
	if count <= limits.Rules {
		what = fmt.Sprintf("about %d instructions, more than the %d that the kernel takes", instructions, limits.Instructions)
	}
	return fmt.Errorf("%s would have %s; most are for %s: give these fewer conditions, or list fewer architectures",
		m.called(), what, strings.Join(most[:min(3, len(most))], ", "))
}

// called is what the result is.
func (m *flooring) called() string {
	switch {
	case m.union:
		return "the union"
	case m.edits != nil:
		return "the profile with what allow and deny change"
	}
	return "the profile under this floor"
}

// instructionsFor returns how many instructions libseccomp makes of one rule on one
// architecture, at most: a comparison of the number with its share of the search tree, and
// for each condition the loads and comparisons of one word or two.
func instructionsFor(args []specs.LinuxSeccompArg, wide bool) int {
	n := 2
	for _, a := range args {
		words := 2
		switch a.Op {
		case specs.OpMaskedEqual:
			words = 3
		case specs.OpEqualTo, specs.OpNotEqual:
		default:
			words = 3
		}
		if wide {
			words *= 2
		}
		n += words
	}
	return n
}
