package semantics

import (
	"slices"

	"github.com/batten-runtime/batten/policy/semantics/region"
)

// piece is a box in which every call has the same outcome.
type piece struct {
	box region.Box
	Outcome
}

// Function says what becomes of one system call, by its arguments: Pieces are disjoint, and
// Otherwise is for all other arguments.
type Function struct {
	Whole     region.Values // what an argument can be: 64 or 32 bits
	Pieces    []piece
	Otherwise Outcome
}

func Constant(whole region.Values, o Outcome) Function { return Function{Whole: whole, Otherwise: o} }

// Unheard returns f as it is if nobody listens: a call that f notifies of fails with ENOSYS.
func (f Function) Unheard() Function {
	deaf := func(o Outcome) Outcome {
		if o.Order == orderNotify {
			return Enosys
		}
		return o
	}
	out := Function{Whole: f.Whole, Pieces: make([]piece, len(f.Pieces)), Otherwise: deaf(f.Otherwise)}
	for i, p := range f.Pieces {
		out.Pieces[i] = piece{p.box, deaf(p.Outcome)}
	}
	return out
}

// outside returns the parts of b that none of pieces has.
func (w *Budget) outside(b region.Box, pieces []piece) []region.Box {
	rest := []region.Box{b}
	var next []region.Box
	for _, p := range pieces {
		next = next[:0]
		for _, r := range rest {
			if w.use(1); w.Spent() || len(next) > w.left {
				w.left = -1
				return nil
			}
			if _, ok := r.Intersect(p.box); ok {
				next = append(next, r.Minus(p.box)...)
			} else {
				next = append(next, r)
			}
		}
		rest, next = next, rest
		w.use(1)
	}
	return rest
}

// reaches reports whether b has a part that none of pieces has.
func (w *Budget) reaches(b region.Box, pieces []piece) bool {
	if w.use(1); w.Spent() {
		return true
	}
	for i, p := range pieces {
		if _, ok := b.Intersect(p.box); !ok {
			continue
		}
		for _, part := range b.Minus(p.box) {
			if w.reaches(part, pieces[i+1:]) {
				return true
			}
		}
		return false
	}
	return true
}

// Meet returns the decision that the kernel makes with both filters loaded, own after
// older (seccomp(2): the stricter action wins; at a tie the newer filter's data).
func (w *Budget) Meet(older, own Function) Function { return w.combine(older, own, Together) }

// Join returns the decision that is as loose as the looser of the two everywhere; see [Either].
func (w *Budget) Join(other, own Function) Function { return w.combine(other, own, Either) }

// combine returns the decision that makes one outcome of two for each call.
func (w *Budget) combine(older, own Function, one func(older, own Outcome) Outcome) Function {
	out := Function{Whole: own.Whole, Otherwise: one(older.Otherwise, own.Otherwise)}
	add := func(b region.Box, o Outcome) {
		if o != out.Otherwise {
			out.Pieces = append(out.Pieces, piece{b, o})
		}
	}
	for _, p := range older.Pieces {
		if w.use(len(own.Pieces)); w.Spent() {
			return out
		}
		for _, q := range own.Pieces {
			if both, ok := p.box.Intersect(q.box); ok {
				add(both, one(p.Outcome, q.Outcome))
			}
		}
		if o := one(p.Outcome, own.Otherwise); o != out.Otherwise {
			for _, b := range w.outside(p.box, own.Pieces) {
				add(b, o)
			}
		}
	}
	for _, q := range own.Pieces {
		if o := one(older.Otherwise, q.Outcome); o != out.Otherwise {
			for _, b := range w.outside(q.box, older.Pieces) {
				add(b, o)
			}
		}
	}
	return out
}

// Somewhere reports whether there is a call whose outcomes under f and g are in the
// relation. It is also true if the budget is spent.
func (w *Budget) Somewhere(f, g Function, relation func(f, g Outcome) bool) bool {
	for _, p := range f.Pieces {
		if w.use(len(g.Pieces)); w.Spent() {
			return true
		}
		for _, q := range g.Pieces {
			if relation(p.Outcome, q.Outcome) {
				if _, ok := p.box.Intersect(q.box); ok {
					return true
				}
			}
		}
		if relation(p.Outcome, g.Otherwise) && w.reaches(p.box, g.Pieces) {
			return true
		}
	}
	for _, q := range g.Pieces {
		if relation(f.Otherwise, q.Outcome) && w.reaches(q.box, f.Pieces) {
			return true
		}
	}
	if !relation(f.Otherwise, g.Otherwise) {
		return false
	}
	both := append(append([]piece(nil), f.Pieces...), g.Pieces...)
	return w.reaches(region.Everything(f.Whole), both)
}

// written reports whether f and g are the same, piece by piece, which many are.
func (f Function) written(g Function) bool {
	return f.Whole == g.Whole && f.Otherwise == g.Otherwise && slices.Equal(f.Pieces, g.Pieces)
}

// Same reports whether f and g are the same for each call.
func (w *Budget) Same(f, g Function) bool {
	return f.written(g) || !w.Somewhere(f, g, func(a, b Outcome) bool { return a != b })
}

// Looser reports whether f is looser than g somewhere.
func (w *Budget) Looser(f, g Function) bool {
	return !f.written(g) && w.Somewhere(f, g, func(a, b Outcome) bool { return a.Order > b.Order })
}
