package semantics

import (
	"cmp"
	"slices"
)

// Coarse returns rules with the conditions of the given ones that are nowhere looser than f:
// where f has several outcomes for the calls that one of them is about, it has the strictest.
// Calls that no rule is about are left to the default action, whatever f says of them.
func (w *Budget) Coarse(f Function, rules []Clause) []Clause {
	out := make([]Clause, len(rules))
	for i, c := range rules {
		out[i] = Clause{place: c.place, Conds: c.Conds, Outcome: w.strictest(f, c)}
	}
	return out
}

// strictest returns the strictest of f's outcomes for the calls that a rule is about; the
// rule's own if there are none.
func (w *Budget) strictest(f Function, rule Clause) Outcome {
	var found []Outcome
	for _, b := range boxesOf(f.Whole, rule.Conds) {
		for _, p := range f.Pieces {
			if _, ok := b.Intersect(p.box); ok {
				found = append(found, p.Outcome)
			}
		}
		if w.use(len(f.Pieces)); w.reaches(b, f.Pieces) {
			found = append(found, f.Otherwise)
		}
	}
	if len(found) == 0 {
		return rule.Outcome
	}
	return slices.MinFunc(found, func(a, b Outcome) int { return cmp.Compare(a.Order, b.Order) })
}
