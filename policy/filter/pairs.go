package filter

import (
	"cmp"
	"maps"
	"slices"

	"golang.org/x/sys/unix"
)

// Pairs returns a call for each name and each two results that the filters a and b have for
// one and the same call by that name; numbers without a name count together.
func Pairs(a, b Stack) (out []Witness, err error) {
	defer limited(&err)
	t, err := tabulate(a, b)
	if err != nil {
		return nil, err
	}
	for _, c := range t.cells {
		found := make(map[[2]Result]Call)
		t.pairsFrom(c.values[0], c.values[1], Call{Arch: c.arch, Nr: c.nr}, make(map[[2]ref]bool), found)
		for _, results := range slices.SortedFunc(maps.Keys(found), compareResults) {
			out = append(out, witnesses(c, found[results], results)...)
		}
	}
	return out, nil
}

func compareResults(a, b [2]Result) int {
	return cmp.Or(cmp.Compare(a[0].Action, b[0].Action), cmp.Compare(a[0].Data, b[0].Data),
		cmp.Compare(a[1].Action, b[1].Action), cmp.Compare(a[1].Data, b[1].Data))
}

// pairsFrom finds the results that two functions have together, with a call for each.
func (s *space) pairsFrom(a, b ref, call Call, seen map[[2]ref]bool, found map[[2]Result]Call) {
	if seen[[2]ref{a, b}] {
		return
	}
	seen[[2]ref{a, b}] = true
	s.step()
	level := min(s.nodes[a].level, s.nodes[b].level)
	if level == leafLevel {
		results := [2]Result{s.nodes[a].leafResult, s.nodes[b].leafResult}
		if _, known := found[results]; !known {
			found[results] = call
		}
		return
	}
	a0, a1 := s.cofactors(a, level)
	b0, b1 := s.cofactors(b, level)
	s.pairsFrom(a0, b0, call, seen, found)
	word, bit := wordAt(level)
	call.SetWord(4*word, call.Word(4*word)|1<<bit)
	s.pairsFrom(a1, b1, call, seen, found)
}

// witnesses returns a call of a cell once for each name in it, or once if it has none.
func witnesses(c cell, call Call, results [2]Result) (out []Witness) {
	w := Witness{Call: call, First: results[0], Second: results[1]}
	_, w.Arch = abi(c.arch, c.nr)
	if c.other {
		w.Arch = "other"
	}
	unnamed := true
	for nr := c.nr; nr <= c.last && nr-c.nr < 1024 && !c.other; nr++ {
		w.Call.Nr, w.Syscall = nr, syscallName(c.arch, nr)
		if w.Syscall != "" || unnamed {
			out = append(out, w)
		}
		unnamed = unnamed && w.Syscall != ""
	}
	if len(out) == 0 {
		out = append(out, w)
	}
	return out
}

// Denies reports whether the kernel does not make the call, whoever may listen.
func (a Result) Denies() bool { return int32(a.Action) <= int32(unix.SECCOMP_RET_ERRNO) }
