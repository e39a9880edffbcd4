package semantics

import (
	"cmp"
	"slices"

	"github.com/batten-runtime/batten/policy/semantics/region"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Express returns rules that reproduce f for every call whose outcome differs from
// otherwise, the default action of the profile that the rules are for. Their regions
// are disjoint, so libseccomp's order of rules cannot matter, and none has two
// conditions on one argument.
func (w *Budget) Express(f Function, otherwise Outcome) []Clause {
	var out []Clause
	for _, style := range []style{native, ordered, plain, cubes} {
		out = w.clauses(f, otherwise, style)
		if len(out) > MaxClauses || w.Spent() {
			w.left = -1
			return nil
		}
		// This also counts for calls of 32-bit architectures: the native filter has
		// their rules under a number that no call has.
		if !Entangled(out) {
			break
		}
	}
	return out
}

// MaxClauses is how many rules one syscall may have. libseccomp takes long for more.
const MaxClauses = 512

// style is how conditions are written.
type style int

const (
	native  style = iota // by the operator that fits
	ordered              // as plain, and split by the first argument first
	plain                // only the last of a rule other than by equality, none by inequality
	cubes                // all by equality
)

// clauses returns the rules of Express, written in one style.
func (w *Budget) clauses(f Function, otherwise Outcome, style style) []Clause {
	var pieces []piece
	for _, p := range f.Pieces {
		if p.Outcome != otherwise {
			pieces = append(pieces, p)
		}
	}
	if f.Otherwise != otherwise {
		if len(f.Pieces) == 0 {
			return []Clause{{Outcome: f.Otherwise}}
		}
		for _, b := range w.outside(region.Everything(f.Whole), f.Pieces) {
			pieces = append(pieces, piece{b, f.Otherwise})
		}
	}
	if style == ordered && len(pieces) > 0 {
		pieces = w.byArgument(f.Whole, pieces, 0)
	}
	pieces = w.join(pieces)
	var out []Clause
	for len(pieces) > 0 && !w.Spent() {
		p := pieces[0]
		pieces = pieces[1:]
		w.use(1 + len(pieces))
		var given []specs.LinuxSeccompArg
		i, other, arg := complement(f.Whole, p, pieces)
		if i >= 0 && (style == native || style == ordered && !p.box.GoesOn(f.Whole, arg)) {
			// Together the two pieces have all values but one.
			pieces = slices.Delete(pieces, i, i+1)
			given = []specs.LinuxSeccompArg{{Index: uint(arg), Op: specs.OpNotEqual, Value: other}}
		}
		for _, c := range w.product(f.Whole, p, given, style) {
			out = append(out, Clause{Conds: c, Outcome: p.Outcome})
		}
	}
	// Rules on the first arguments come first: libseccomp compares a rule that begins
	// with an earlier argument with all rules that it has, over and over.
	slices.SortStableFunc(out, func(a, b Clause) int {
		return slices.CompareFunc(a.Conds, b.Conds, compareConds)
	})
	return out
}

// byArgument returns the pieces, cut so that two pieces have either the same values of an
// argument, from arg on, or none in common. Most pieces then compare an argument for
// equality, or compare no argument after it.
func (w *Budget) byArgument(whole region.Values, pieces []piece, arg int) (out []piece) {
	if arg == len(pieces[0].box) {
		return pieces
	}
	atoms := []region.Values{whole}
	for _, p := range pieces {
		var next []region.Values
		for _, a := range atoms {
			if both, ok := a.Intersect(p.box[arg]); ok {
				next = append(next, both)
			}
			next = append(next, a.Minus(p.box[arg])...)
		}
		if w.use(len(next)); w.Spent() {
			return pieces
		}
		atoms = next
	}
	for _, a := range atoms {
		if w.use(len(pieces)); w.Spent() {
			return pieces
		}
		var here []piece
		for _, p := range pieces {
			if _, ok := a.Intersect(p.box[arg]); ok {
				p.box[arg] = whole
				here = append(here, p)
			}
		}
		if len(here) == 0 {
			continue
		}
		for _, p := range w.byArgument(whole, here, arg+1) {
			p.box[arg] = a
			out = append(out, p)
		}
	}
	return w.join(out)
}

func compareConds(a, b specs.LinuxSeccompArg) int {
	return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Op, b.Op), cmp.Compare(a.Value, b.Value), cmp.Compare(a.ValueTwo, b.ValueTwo))
}

// product returns the lists of conditions that together match the box. Each argument gets a
// condition with the operator that fits, or several cubes; the argument that given is about
// has its condition already.
func (w *Budget) product(whole region.Values, p piece, given []specs.LinuxSeccompArg, style style) [][]specs.LinuxSeccompArg {
	out := [][]specs.LinuxSeccompArg{nil}
	for i, v := range p.box {
		alternatives := given
		if len(given) == 0 || int(given[0].Index) != i {
			if v == whole {
				continue
			}
			alternatives = region.Conditions(uint(i), v, whole, style == cubes || style != native && p.box.GoesOn(whole, i))
		}
		if w.use(10 * len(out) * len(alternatives)); w.Spent() {
			return nil
		}
		var next [][]specs.LinuxSeccompArg
		for _, before := range out {
			for _, c := range alternatives {
				next = append(next, append(slices.Clip(before), c))
			}
		}
		out = next
	}
	return out
}
