package profile

import (
	"math"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/semantics/region"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// validateOverlaps reports pairs of rules on one syscall with different
// actions that one call can meet, once for each later rule.
func (p *Profile) validateOverlaps(places []document.Node) {
	left := maxPairs
	byName := make(map[string][]int)
	for i, r := range p.rules {
		if p.skipped(r) {
			continue
		}
		var clashes []string
		for _, name := range r.Names {
			for _, j := range byName[name] {
				other := p.rules[j]
				left -= 1 + len(r.Args)*len(other.Args) + len(r.includes.caps)*len(other.excludes.caps) + len(r.excludes.caps)*len(other.includes.caps)
				if left < 0 {
					places[i].As("overlap").Warnf("has more rules on %s before it than are compared; whether later rules overlap is not known", name)
					return
				}
				if p.clash(p.rules[j], r) {
					clashes = append(clashes, name)
					break
				}
			}
			byName[name] = append(byName[name], i)
		}
		if len(clashes) > 0 {
			places[i].As("overlap").Warnf("another rule on %s with a different action matches the same calls; libseccomp does not say which wins", strings.Join(clashes, ", "))
		}
	}
}

// clash reports whether a and b differ in effect and can both meet one call.
func (p *Profile) clash(a, b rule) bool {
	actionA, errnoA := semantics.Effect(a.Action, a.ErrnoRet)
	actionB, errnoB := semantics.Effect(b.Action, b.ErrnoRet)
	if actionA == actionB && errnoA == errnoB || exclusive(a, b) || exclusive(b, a) {
		return false
	}
	for _, x := range a.Args {
		for _, y := range b.Args {
			if x.Index == y.Index && disjoint(x, y) {
				return false
			}
		}
	}
	return true
}

// exclusive reports whether b cannot count where a does.
func exclusive(a, b rule) bool {
	hit := func(list, other []string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return slices.Contains(other, s) })
	}
	return hit(a.includes.caps, b.excludes.caps) ||
		len(a.includes.arches) > 0 && len(b.includes.arches) > 0 && !hit(a.includes.arches, b.includes.arches)
}

// disjoint reports whether no value meets both conditions, as far as that
// shows without search.
func disjoint(x, y specs.LinuxSeccompArg) bool {
	if neverMatches(x) || neverMatches(y) {
		return true
	}
	mx, vx, okx := region.Cube(x)
	my, vy, oky := region.Cube(y)
	if okx && oky {
		return (vx^vy)&mx&my != 0
	}
	if x.Op == specs.OpNotEqual || y.Op == specs.OpNotEqual {
		return x.Value == y.Value && (x.Op == specs.OpEqualTo || y.Op == specs.OpEqualTo)
	}
	if x.Op == specs.OpMaskedEqual || y.Op == specs.OpMaskedEqual {
		return false
	}
	lowX, highX := interval(x)
	lowY, highY := interval(y)
	return highX < lowY || highY < lowX
}

// interval is the condition as low <= value <= high, for the operators that
// order; neverMatches has been asked before.
func interval(a specs.LinuxSeccompArg) (low, high uint64) {
	switch a.Op {
	case specs.OpEqualTo:
		return a.Value, a.Value
	case specs.OpLessThan:
		return 0, a.Value - 1
	case specs.OpLessEqual:
		return 0, a.Value
	case specs.OpGreaterEqual:
		return a.Value, math.MaxUint64
	default:
		return a.Value + 1, math.MaxUint64
	}
}
