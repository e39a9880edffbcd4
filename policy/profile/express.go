package profile

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// express are rules that do what f does on the calls whose outcome is not
// otherwise, the default of the profile they are for. The rules' regions are
// disjoint, so that the order in which libseccomp takes them does not matter,
// and none has two conditions on one argument.
func (w *budget) express(f function, otherwise outcome) []clause {
	var out []clause
	for _, style := range []style{native, ordered, plain, cubes} {
		out = w.clauses(f, otherwise, style)
		if len(out) > maxClauses || w.spent() {
			w.left = -1
			return nil
		}
		// On 32-bit calls, too: the native filter has their rules under a
		// number that is no call's.
		if !entangled(out) {
			break
		}
	}
	return out
}

// maxClauses is how many rules one syscall may have; libseccomp takes long over
// more.
const maxClauses = 512

// style is how conditions are written.
type style int

const (
	native  style = iota // by the operator that fits
	ordered              // as plain, and split by the first argument first
	plain                // only the last of a rule other than by equality, none by inequality
	cubes                // all by equality
)

// clauses are the rules for express.
func (w *budget) clauses(f function, otherwise outcome, style style) []clause {
	var pieces []piece
	for _, p := range f.pieces {
		if p.outcome != otherwise {
			pieces = append(pieces, p)
		}
	}
	if f.otherwise != otherwise {
		if len(f.pieces) == 0 {
			return []clause{{outcome: f.otherwise}}
		}
		for _, b := range w.outside(everything(f.whole), f.pieces) {
			pieces = append(pieces, piece{b, f.otherwise})
		}
	}
	if style == ordered && len(pieces) > 0 {
		pieces = w.byArgument(f.whole, pieces, 0)
	}
	pieces = w.join(pieces)
	var out []clause
	for len(pieces) > 0 && !w.spent() {
		p := pieces[0]
		pieces = pieces[1:]
		var given []specs.LinuxSeccompArg
		i, other, arg := complement(f.whole, p, pieces)
		if i >= 0 && (style == native || style == ordered && !p.goesOn(f.whole, arg)) {
			// Together the two are all but one value.
			pieces = slices.Delete(pieces, i, i+1)
			given = []specs.LinuxSeccompArg{{Index: uint(arg), Op: specs.OpNotEqual, Value: other}}
		}
		for _, c := range w.product(f.whole, p, given, style) {
			out = append(out, clause{conds: c, outcome: p.outcome})
		}
	}
	// Rules on the first arguments first: libseccomp compares a rule that begins
	// with an earlier argument than those it has over and over with all of them.
	slices.SortStableFunc(out, func(a, b clause) int {
		return slices.CompareFunc(a.conds, b.conds, compareConds)
	})
	return out
}

// byArgument are the pieces cut so that where two of them share values of an
// argument, from arg on, they share all. Most then say of an argument either
// nothing more than one value, or nothing of those after it.
func (w *budget) byArgument(whole values, pieces []piece, arg int) (out []piece) {
	if arg == len(pieces[0].box) {
		return pieces
	}
	atoms := []values{whole}
	for _, p := range pieces {
		var next []values
		for _, a := range atoms {
			if both, ok := a.intersect(p.box[arg]); ok {
				next = append(next, both)
			}
			next = append(next, a.minus(p.box[arg])...)
		}
		if w.left -= len(next); w.spent() {
			return pieces
		}
		atoms = next
	}
	for _, a := range atoms {
		var here []piece
		for _, p := range pieces {
			if _, ok := a.intersect(p.box[arg]); ok {
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

// goesOn reports whether the box bounds an argument after arg.
func (b box) goesOn(whole values, arg int) bool {
	return slices.ContainsFunc(b[arg+1:], func(v values) bool { return v != whole })
}

// product are the lists of conditions that together match the box: for each
// argument one of its native operators, or several cubes. The one argument that
// given is about has its condition already.
func (w *budget) product(whole values, p piece, given []specs.LinuxSeccompArg, style style) [][]specs.LinuxSeccompArg {
	out := [][]specs.LinuxSeccompArg{nil}
	for i, v := range p.box {
		alternatives := given
		if len(given) == 0 || int(given[0].Index) != i {
			if v == whole {
				continue
			}
			alternatives = conditionsFor(uint(i), v, whole, style == cubes || style != native && p.goesOn(whole, i))
		}
		var next [][]specs.LinuxSeccompArg
		for _, before := range out {
			for _, c := range alternatives {
				next = append(next, append(slices.Clip(before), c))
			}
		}
		out = next
		if w.left -= 10 * len(out); w.spent() {
			return nil
		}
	}
	return out
}

// conditionsFor are conditions of which an argument in v meets exactly one.
// Where there is a choice they read the same when libseccomp cuts the value to
// 32 bits. With cubes all are equalities.
func conditionsFor(index uint, v, whole values, cubes bool) []specs.LinuxSeccompArg {
	one := func(op specs.LinuxSeccompOperator, value, two uint64) []specs.LinuxSeccompArg {
		return []specs.LinuxSeccompArg{{Index: index, Op: op, Value: value, ValueTwo: two}}
	}
	if v.low == v.high {
		return one(specs.OpEqualTo, v.low, 0)
	}
	if c, ok := v.cube(); ok && (cubes || v.mask != 0 || v.low != 0 && v.high != whole.high) {
		return one(specs.OpMaskedEqual, c.mask, c.value)
	}
	if v.mask == 0 && v.low == 0 && !cubes {
		if v.high == math.MaxUint32 {
			return one(specs.OpLessEqual, v.high, 0)
		}
		return one(specs.OpLessThan, v.high+1, 0) // not <=, which libseccomp takes for a > elsewhere
	}
	if v.mask == 0 && v.high == whole.high && !cubes {
		return one(specs.OpGreaterThan, v.low-1, 0)
	}
	var out []specs.LinuxSeccompArg
	for low, more := v.low, true; more; {
		size := bits.TrailingZeros64(low)
		for size == 64 || size > 0 && low+(1<<size-1) > v.high || size > 0 && low+(1<<size-1) < low {
			size--
		}
		last := low + (1<<size - 1)
		if part, ok := v.intersect(values{low: low, high: last}); ok {
			c, _ := part.cube()
			if part.low == part.high {
				out = append(out, specs.LinuxSeccompArg{Index: index, Op: specs.OpEqualTo, Value: part.low})
			} else {
				out = append(out, specs.LinuxSeccompArg{Index: index, Op: specs.OpMaskedEqual, Value: c.mask, ValueTwo: c.value})
			}
		}
		low, more = last+1, last < v.high
	}
	return out
}
