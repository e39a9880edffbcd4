package filter

import (
	"fmt"
	"maps"
	"slices"

	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

// bounds are the places where a program's treatment of arch and number may
// change: the arches that it names, and the numbers at which an interval of
// equally treated ones begins.
type bounds struct {
	arches map[uint32]bool
	starts map[uint32]bool
	seen   map[point]bool
}

// program checks a program, and the one that its listener answers by, and adds them.
func (b *bounds) program(p *Program) error {
	for ; p != nil; p = p.Answers.by() {
		if _, err := p.check(); err != nil {
			return err
		}
		if err := b.add(p); err != nil {
			return err
		}
	}
	return nil
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
		case bpf.Return:
			return nil
		case bpf.Load:
			at.acc = accumulator{word: in.K / 4, mask: ^uint32(0)}
		case bpf.And:
			at.acc.mask &= in.K
		case bpf.Jump:
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

// compare notes the bounds that a comparison of the arch or the number makes.
func (b *bounds) compare(at point, in unix.SockFilter) error {
	switch at.acc.word {
	case wordArch:
		if in.Code != bpf.IfEqual || at.acc.mask != ^uint32(0) {
			return fmt.Errorf("instruction %d compares the arch other than for equality", at.pc)
		}
		b.arches[in.K] = true
	case wordNr:
		switch mask := at.acc.mask; {
		case in.Code == bpf.IfBits:
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
			if err := b.program(p); err != nil {
				return nil, err
			}
		}
	}
	t := &table{space: newSpace()}
	t.listeners = listeners(stacks)
	starts := slices.Sorted(maps.Keys(b.starts))
	for _, arch := range slices.Sorted(maps.Keys(b.arches)) {
		t.fill(cell{arch: arch}, starts, stacks)
	}
	other := uint32(0)
	for b.arches[other] {
		other++
	}
	t.fill(cell{arch: other, other: true}, starts, stacks)
	return t, nil
}

// fill adds the cells of one arch. Neighbours become one cell if all programs treat them
// alike, whatever the arguments.
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

// stack returns the function of all filters together.
func (t *table) stack(s Stack, arch, nr uint32) ref {
	out := t.leaf(Result{Action: unix.SECCOMP_RET_ALLOW})
	for _, p := range s {
		out = t.apply(opMeet, out, t.function(p, arch, nr))
	}
	return out
}
