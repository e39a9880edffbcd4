package profile

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// rules are the entries of syscalls: first what must be first, then names
// without conditions by outcome, then those with, names that have the same
// rules together, then the markers.
func (m *flooring) rules() []specs.LinuxSyscall {
	var out []specs.LinuxSyscall
	add := func(names []string, c clause) {
		action, errno := c.outcome.action()
		out = append(out, specs.LinuxSyscall{Names: names, Action: action, ErrnoRet: errno, Args: c.conds})
	}
	for _, f := range m.front {
		add([]string{f.name}, f.clause)
	}
	plain := make(map[outcome][]string)
	var others []group
	at := make(map[string]int)
	for _, name := range m.names {
		clauses := m.explicit[name]
		switch {
		case len(clauses) == 0:
		case len(clauses) == 1 && len(clauses[0].conds) == 0:
			plain[clauses[0].outcome] = append(plain[clauses[0].outcome], name)
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
		add(plain[o], clause{outcome: o})
	}
	for _, g := range others {
		for _, c := range g.clauses {
			add(g.names, c)
		}
	}
	if len(m.markers) > 0 {
		add(slices.Sorted(maps.Keys(m.markers)), clause{outcome: m.otherwise})
	}
	return out
}

// group is names that have the same rules.
type group struct {
	names   []string
	clauses []clause
}

func groupKey(clauses []clause) string {
	var key []byte
	for _, c := range clauses {
		key = append(strconv.AppendUint(append(key, ';'), uint64(c.outcome.order), 10), '/')
		key = strconv.AppendUint(key, uint64(c.outcome.data), 10)
		for _, a := range c.conds {
			key = append(append(key, ','), a.Op...)
			key = strconv.AppendUint(append(key, ' '), uint64(a.Index), 10)
			key = strconv.AppendUint(append(key, ' '), a.Value, 10)
			key = strconv.AppendUint(append(key, ' '), a.ValueTwo, 10)
		}
	}
	return string(key)
}

func looseFirst(a, b outcome) int {
	return cmp.Or(cmp.Compare(b.order, a.order), cmp.Compare(a.data, b.data))
}

// result is what libseccomp will read in the rules so far.
func (m *flooring) result() *meaning {
	if m.read == nil {
		action, errno := m.otherwise.action()
		// The rules are our own: they are in runc's words.
		m.read, _ = understand(&specs.LinuxSeccomp{
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
	return Limits{cmp.Or(l.Rules, defaultRules), cmp.Or(l.Instructions, defaultInstructions)}
}

// within reports where rules exceed limits, with the syscalls that need most.
func (m *flooring) within(rules []specs.LinuxSyscall) error {
	limits := m.limits
	count, instructions := 0, 32
	cost := make(map[string]int)
	for _, rule := range rules {
		each := 0
		for _, arch := range m.arches {
			each += instructionsFor(rule.Args, is64(arch))
		}
		for _, name := range rule.Names {
			count++
			cost[name] += each
			instructions += each
		}
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
	return fmt.Errorf("the profile under this floor would have %s; most are for %s: give these fewer conditions, or list fewer architectures",
		what, strings.Join(most[:min(3, len(most))], ", "))
}

// instructionsFor is no less than what libseccomp makes of one rule on one
// arch: a comparison of the number with its share of the search tree, and for
// each condition the loads and comparisons of one word or two.
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
