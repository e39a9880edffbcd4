package profile

// box is a set of calls: the values of each of the six arguments.
type box [6]values

func everything(whole values) (b box) {
	for i := range b {
		b[i] = whole
	}
	return b
}

func (b box) intersect(c box) (box, bool) {
	for i := range b {
		var ok bool
		if b[i], ok = b[i].intersect(c[i]); !ok {
			return box{}, false
		}
	}
	return b, true
}

// minus are the disjoint parts of b that are not in c.
func (b box) minus(c box) []box {
	inside, ok := b.intersect(c)
	if !ok {
		return []box{b}
	}
	var out []box
	rest := b
	for i := range b {
		for _, part := range rest[i].minus(c[i]) {
			piece := rest
			piece[i] = part
			out = append(out, piece)
		}
		rest[i] = inside[i]
	}
	return out
}

// piece is a box in which every call has the same outcome.
type piece struct {
	box
	outcome
}

// function is what becomes of one system call, by its arguments: disjoint
// pieces, and otherwise for the rest.
type function struct {
	whole     values // what an argument can be: 64 or 32 bits
	pieces    []piece
	otherwise outcome
}

func constant(whole values, o outcome) function { return function{whole: whole, otherwise: o} }

// budget bounds the work on one system call: cutting boxes can grow without
// end where many conditions meet.
type budget struct{ left int }

// maxWork is more than any profile takes that fits the kernel's limit.
const maxWork = 200_000

func (w *budget) spent() bool { return w.left < 0 }

// outside are the parts of b that none of pieces has.
func (w *budget) outside(b box, pieces []piece) []box {
	rest := []box{b}
	for _, p := range pieces {
		var next []box
		for _, r := range rest {
			next = append(next, r.minus(p.box)...)
		}
		rest = next
		if w.left -= len(rest) + 1; w.spent() {
			return nil
		}
	}
	return rest
}

// reaches reports whether b has a part that none of pieces has.
func (w *budget) reaches(b box, pieces []piece) bool {
	if w.left--; w.spent() {
		return true
	}
	for i, p := range pieces {
		if _, ok := b.intersect(p.box); !ok {
			continue
		}
		for _, part := range b.minus(p.box) {
			if w.reaches(part, pieces[i+1:]) {
				return true
			}
		}
		return false
	}
	return true
}

// meet is what one filter can do of what the kernel does under two that act as
// older and own.
func (w *budget) meet(older, own function) function {
	out := function{whole: own.whole, otherwise: together(older.otherwise, own.otherwise)}
	add := func(b box, o outcome) {
		if o != out.otherwise {
			out.pieces = append(out.pieces, piece{b, o})
		}
	}
	for _, p := range older.pieces {
		for _, q := range own.pieces {
			w.left--
			if both, ok := p.intersect(q.box); ok {
				add(both, together(p.outcome, q.outcome))
			}
		}
		if o := together(p.outcome, own.otherwise); o != out.otherwise {
			for _, b := range w.outside(p.box, own.pieces) {
				add(b, o)
			}
		}
	}
	for _, q := range own.pieces {
		if o := together(older.otherwise, q.outcome); o != out.otherwise {
			for _, b := range w.outside(q.box, older.pieces) {
				add(b, o)
			}
		}
	}
	return out
}

// somewhere reports whether a call exists whose outcomes under f and g are in
// the relation.
func (w *budget) somewhere(f, g function, relation func(f, g outcome) bool) bool {
	for _, p := range f.pieces {
		for _, q := range g.pieces {
			w.left--
			if relation(p.outcome, q.outcome) {
				if _, ok := p.intersect(q.box); ok {
					return true
				}
			}
		}
		if relation(p.outcome, g.otherwise) && w.reaches(p.box, g.pieces) {
			return true
		}
	}
	for _, q := range g.pieces {
		if relation(f.otherwise, q.outcome) && w.reaches(q.box, f.pieces) {
			return true
		}
	}
	if !relation(f.otherwise, g.otherwise) {
		return false
	}
	both := append(append([]piece(nil), f.pieces...), g.pieces...)
	return w.reaches(everything(f.whole), both)
}

func (w *budget) same(f, g function) bool {
	return !w.somewhere(f, g, func(a, b outcome) bool { return a != b })
}

// looser reports whether f is looser than g somewhere.
func (w *budget) looser(f, g function) bool {
	return w.somewhere(f, g, func(a, b outcome) bool { return a.order > b.order })
}
