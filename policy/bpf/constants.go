package bpf

// Constants are what a filter compares the words of the arguments with.
type Constants [6]struct{ Low, High []uint32 }

// source is what the accumulator holds while a path of the program is followed: a
// number, or one word of an argument.
type source struct {
	known bool
	value uint32
	word  uint32 // its offset, where not known
}

// Constants returns the numbers with which the filter may compare the arguments of
// one system call: those on all paths that arch and nr leave open.
func (p Program) Constants(arch, nr uint32) (out Constants) {
	type place struct {
		pc int
		a  source
	}
	call := Call{Arch: arch, Nr: nr}
	seen := make(map[place]bool)
	open := []place{{0, source{known: true}}}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		if at.pc >= len(p.instructions) || seen[at] {
			continue
		}
		seen[at] = true
		in := p.instructions[at.pc]
		next := place{at.pc + 1, at.a}
		switch in.Code {
		case Return:
			continue
		case Load:
			next.a = source{known: in.K < OffsetArgs, word: in.K}
			if next.a.known {
				next.a = source{known: true, value: call.Word(in.K)}
			}
		case And:
			next.a.value &= in.K
		case Jump:
			next.pc += int(in.K)
		default:
			yes, no := next, next
			yes.pc += int(in.Jt)
			no.pc += int(in.Jf)
			if !at.a.known {
				out.add(at.a.word, in.K)
				open = append(open, yes, no)
				continue
			}
			if next = no; Holds(in, at.a.value) {
				next = yes
			}
		}
		open = append(open, next)
	}
	return out
}

func (c *Constants) add(word, k uint32) {
	arg := &c[(word-OffsetArgs)/8]
	if word%8 == 4 {
		arg.High = append(arg.High, k)
	} else {
		arg.Low = append(arg.Low, k)
	}
}
