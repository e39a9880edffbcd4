package filter

import (
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// accumulator is the one register during a walk: a constant, or an argument's
// word under a mask.
type accumulator struct {
	word        uint32 // of the argument; constant if it is 0
	mask, value uint32
}

type point struct {
	pc  int
	acc accumulator
}

// walker makes the function of one program for one arch and number.
type walker struct {
	*space
	program *Program
	call    Call // only Arch and Nr count
	done    map[point]ref
}

// function is what p says to the calls of one arch and number, depending on
// their arguments.
func (s *space) function(p *Program, arch, nr uint32) ref {
	w := walker{space: s, program: p, call: Call{Arch: arch, Nr: nr}}
	return w.from(point{})
}

// from is the function of the program from a point on. It runs as far as the
// answer does not depend on arguments.
func (w *walker) from(at point) ref {
	for ; ; at.pc++ {
		switch in := w.program.Instructions[at.pc]; in.Code {
		case codeReturn:
			return w.leaf(result(in.K))
		case codeLoad:
			at.acc = w.load(in.K / 4)
		case codeAnd:
			at.acc.mask &= in.K
			at.acc.value &= in.K
		case codeJump:
			at.pc += int(in.K)
		default:
			if at.acc.word != 0 {
				return w.split(at, in)
			}
			if holds(in, at.acc.value) {
				at.pc += int(in.Jt)
			} else {
				at.pc += int(in.Jf)
			}
		}
	}
}

func (w *walker) load(word uint32) accumulator {
	if word == wordNr || word == wordArch {
		return accumulator{value: w.call.word(word)}
	}
	return accumulator{word: word, mask: ^uint32(0)}
}

// split goes both ways at a condition on an argument.
func (w *walker) split(at point, in unix.SockFilter) ref {
	if out, ok := w.done[at]; ok {
		return out
	}
	then := w.from(point{at.pc + 1 + int(in.Jt), at.acc})
	otherwise := w.from(point{at.pc + 1 + int(in.Jf), at.acc})
	out := w.ite(w.test(in, at.acc.word, at.acc.mask), then, otherwise)
	if w.done == nil {
		w.done = make(map[point]ref)
	}
	w.done[at] = out
	return out
}

// bounds are the places where a program's treatment of arch and number may
// change: the arches that it names, and the numbers at which an interval of
// equally treated ones begins.
type bounds struct {
	arches map[uint32]bool
	starts map[uint32]bool
	seen   map[point]bool
}

func (b *bounds) add(p *Program) error {
	b.seen = make(map[point]bool)
	return b.follow(p, point{})
}

// follow visits every point that the program can reach. The accumulator's word
// tells what is compared; arguments do not matter here.
func (b *bounds) follow(p *Program, at point) error {
	for ; !b.seen[at]; at.pc++ {
		b.seen[at] = true
		switch in := p.Instructions[at.pc]; in.Code {
		case codeReturn:
			return nil
		case codeLoad:
			at.acc = accumulator{word: in.K / 4, mask: ^uint32(0)}
		case codeAnd:
			at.acc.mask &= in.K
		case codeJump:
			at.pc += int(in.K)
		default:
			if err := b.compare(at, in); err != nil {
				return err
			}
			if err := b.follow(p, point{at.pc + 1 + int(in.Jt), at.acc}); err != nil {
				return err
			}
			at.pc += int(in.Jf)
		}
	}
	return nil
}

// compare notes what a comparison of the arch or the number tells apart.
func (b *bounds) compare(at point, in unix.SockFilter) error {
	switch at.acc.word {
	case wordArch:
		if in.Code != codeIfEqual || at.acc.mask != ^uint32(0) {
			return fmt.Errorf("instruction %d compares the arch other than for equality", at.pc)
		}
		b.arches[in.K] = true
	case wordNr:
		switch mask := at.acc.mask; {
		case in.Code == codeIfBits:
			return b.masked(at.pc, mask&in.K)
		case mask != ^uint32(0):
			return b.masked(at.pc, mask)
		}
		b.starts[in.K] = true
		if in.K != ^uint32(0) {
			b.starts[in.K+1] = true
		}
	}
	return nil
}

// masked notes the bounds of a test of the number's high bits, as the one for
// x32 is.
func (b *bounds) masked(pc int, mask uint32) error {
	step := mask & -mask
	if step < 1<<24 {
		return fmt.Errorf("instruction %d tests low bits of the call's number; such a filter is not judged", pc)
	}
	for start := step; start != 0; start += step {
		b.starts[start] = true
	}
	return nil
}

// cell is a set of calls that all programs of a table treat by their arguments
// alone: one arch, and the numbers from Nr up to the next cell's.
type cell struct {
	arch, nr uint32
	other    bool // stands for every arch that no program names
	last     uint32
	values   []ref // for each stack
}

// table is the common partition of several stacks of filters.
type table struct {
	*space
	cells []cell
}

// tabulate walks the stacks over all calls.
func tabulate(stacks ...Stack) (*table, error) {
	b := bounds{arches: make(map[uint32]bool), starts: map[uint32]bool{0: true}}
	for _, stack := range stacks {
		for _, p := range stack {
			if err := p.check(); err != nil {
				return nil, err
			}
			if err := b.add(p); err != nil {
				return nil, err
			}
		}
	}
	t := &table{space: newSpace()}
	starts := sorted(b.starts)
	for _, arch := range sorted(b.arches) {
		t.fill(cell{arch: arch}, starts, stacks)
	}
	other := uint32(0)
	for b.arches[other] {
		other++
	}
	t.fill(cell{arch: other, other: true}, starts, stacks)
	return t, nil
}

func sorted(set map[uint32]bool) []uint32 {
	out := make([]uint32, 0, len(set))
	for v := range set {
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}

// fill adds the cells of one arch; neighbours that are treated alike whatever
// the arguments are one.
func (t *table) fill(c cell, starts []uint32, stacks []Stack) {
	first := len(t.cells)
	for i, nr := range starts {
		c.nr, c.last = nr, ^uint32(0)
		if i+1 < len(starts) {
			c.last = starts[i+1] - 1
		}
		c.values = make([]ref, len(stacks))
		for j, stack := range stacks {
			c.values[j] = t.stack(stack, c.arch, nr)
		}
		if n := len(t.cells); n > first && slices.Equal(t.cells[n-1].values, c.values) {
			t.cells[n-1].last = c.last
			continue
		}
		t.cells = append(t.cells, c)
	}
}

// stack is the function of all filters together.
func (t *table) stack(s Stack, arch, nr uint32) ref {
	out := t.leaf(Result{Action: unix.SECCOMP_RET_ALLOW})
	for _, p := range s {
		out = t.apply(opMeet, out, t.function(p, arch, nr))
	}
	return out
}
