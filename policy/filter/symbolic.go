package filter

import (
	"github.com/batten-runtime/batten/policy/bpf"
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

// walker computes the function of one program for one arch and number.
type walker struct {
	*space
	program *Program
	call    Call // only Arch and Nr count
	errnos  bool // what is no errno counts as ENOSYS
	done    map[point]ref
}

// function returns p's answers to the calls of one arch and number, as a function of their
// arguments.
func (s *space) function(p *Program, arch, nr uint32) ref {
	w := walker{space: s, program: p, call: Call{Arch: arch, Nr: nr}}
	return w.from(point{})
}

// from returns the function of the program from a point on. It runs the program until a
// condition depends on an argument.
func (w *walker) from(at point) ref {
	for ; ; at.pc++ {
		switch in := w.program.Instructions[at.pc]; in.Code {
		case bpf.Return:
			return w.answered(result(in.K))
		case bpf.Load:
			at.acc = w.load(in.K / 4)
		case bpf.And:
			at.acc.mask &= in.K
			at.acc.value &= in.K
		case bpf.Jump:
			at.pc += int(in.K)
		default:
			if at.acc.word != 0 {
				return w.split(at, in)
			}
			if bpf.Holds(in, at.acc.value) {
				at.pc += int(in.Jt)
			} else {
				at.pc += int(in.Jf)
			}
		}
	}
}

func (w *walker) load(word uint32) accumulator {
	if word == wordNr || word == wordArch {
		return accumulator{value: w.call.Word(4 * word)}
	}
	return accumulator{word: word, mask: ^uint32(0)}
}

// split follows both branches of a condition on an argument.
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
