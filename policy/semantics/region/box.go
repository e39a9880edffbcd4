package region

import "slices"

// Box is a set of calls of one number: the values of each of the six arguments.
type Box [6]Values

// Everything returns all calls; whole says what an argument can be.
func Everything(whole Values) (b Box) {
	for i := range b {
		b[i] = whole
	}
	return b
}

// Intersect returns the calls that are in b and in c; ok is false if there are none.
func (b Box) Intersect(c Box) (both Box, ok bool) {
	for i := range b {
		if b[i], ok = b[i].Intersect(c[i]); !ok {
			return Box{}, false
		}
	}
	return b, true
}

// Minus returns the disjoint parts of b that are not in c.
func (b Box) Minus(c Box) []Box {
	inside, ok := b.Intersect(c)
	if !ok {
		return []Box{b}
	}
	var out []Box
	rest := b
	for i := range b {
		for _, part := range rest[i].Minus(c[i]) {
			piece := rest
			piece[i] = part
			out = append(out, piece)
		}
		rest[i] = inside[i]
	}
	return out
}

// Has reports whether the call with these arguments is in the box.
func (b Box) Has(args [6]uint64) bool {
	for i, v := range b {
		if args[i]&v.mask != v.value || args[i] < v.Low || args[i] > v.High {
			return false
		}
	}
	return true
}

// GoesOn reports whether the box bounds an argument after arg.
func (b Box) GoesOn(whole Values, arg int) bool {
	return slices.ContainsFunc(b[arg+1:], func(v Values) bool { return v != whole })
}
