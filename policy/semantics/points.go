package semantics

import (
	"math/rand/v2"
	"slices"

	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/semantics/region"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Limits of comparing one system call: maxPoints bounds the corners of pieces, and the
// combinations of values, that are compared. A system call with more than maxPieces pieces
// is not compared: no filter that the kernel takes has as many.
const (
	maxPoints = 256
	maxPieces = 2048
)

// at returns what becomes of a call with these arguments.
func (f Function) at(args [6]uint64) Outcome {
	for _, p := range f.Pieces {
		if p.box.Has(args) {
			return p.Outcome
		}
	}
	return f.Otherwise
}

// calls returns the calls of one number for which to compare filter and profile: in each
// piece of the profile's meaning, and on both sides of each comparison that the profile or
// the filter makes.
func calls(arch uint32, nr int, whole region.Values, clauses []Clause, f Function, live bpf.Program) []bpf.Call {
	var interesting [6][]uint64
	for i, constants := range live.Constants(arch, uint32(nr)) {
		interesting[i] = append(interesting[i], halves(constants.Low, constants.High)...)
	}
	for _, c := range clauses {
		for _, a := range c.Conds {
			interesting[a.Index] = append(interesting[a.Index], around(a)...)
		}
	}
	total := 1
	for i := range interesting {
		list := append(interesting[i], 0, whole.High)
		for j := range list {
			list[j] &= whole.High
		}
		if len(interesting[i]) == 0 {
			list = list[:1] // no comparison depends on it
		}
		slices.Sort(list)
		interesting[i] = slices.Compact(list)
		total = min(total*len(interesting[i]), maxPoints+1)
	}
	var out []bpf.Call
	add := func(args [6]uint64) { out = append(out, bpf.Call{Arch: arch, Nr: uint32(nr), Args: args}) }
	for _, p := range f.Pieces[:min(len(f.Pieces), maxPoints)] {
		var low, high [6]uint64
		for i, v := range p.box {
			low[i], high[i] = v.Low, v.High
		}
		add(low)
		add(high)
	}
	if total <= maxPoints {
		every(interesting, 0, [6]uint64{}, add)
		return out
	}
	r := rand.New(rand.NewPCG(uint64(nr), 0)) // the same for the same filter
	for range maxPoints {
		var args [6]uint64
		for i, list := range interesting {
			args[i] = list[r.IntN(len(list))]
		}
		add(args)
	}
	return out
}

// every calls add with each combination of values.
func every(of [6][]uint64, from int, args [6]uint64, add func([6]uint64)) {
	if from == len(of) {
		add(args)
		return
	}
	for _, v := range of[from] {
		args[from] = v
		every(of, from+1, args, add)
	}
}

// around returns values on both sides of a condition.
func around(a specs.LinuxSeccompArg) []uint64 {
	v := a.Value
	if a.Op != specs.OpMaskedEqual {
		return []uint64{v - 1, v, v + 1, v ^ 1<<32}
	}
	want := a.ValueTwo & v
	return []uint64{want, want | ^v, want ^ v&-v, ^want & v, want ^ 1<<32}
}

// halves returns values on both sides of comparisons of an argument's two halves.
func halves(low, high []uint32) (out []uint64) {
	if len(low) > 8 {
		low = low[:8]
	}
	if len(high) > 8 {
		high = high[:8]
	}
	if len(low)+len(high) == 0 {
		return nil
	}
	for _, l := range append(slices.Clone(low), 0) {
		for _, h := range append(slices.Clone(high), 0) {
			v := uint64(h)<<32 | uint64(l)
			out = append(out, v-1, v, v+1, v+1<<32)
		}
	}
	return out
}
