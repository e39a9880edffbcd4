package floor_test

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/floor"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// judgeUnion computes a union, compiles all three for the architectures of both, and compares
// them by the prover.
func judgeUnion(t *testing.T, first, second specs.LinuxSeccomp) (kind, details string) {
	t.Helper()
	arches := slices.Clone(first.Architectures)
	for _, arch := range second.Architectures {
		if !slices.Contains(arches, arch) {
			arches = append(arches, arch)
		}
	}
	out, notes, err := floor.Union(first, second, floor.Limits{})
	var stacks []filter.Stack
	for _, s := range []specs.LinuxSeccomp{second, first, out} {
		if s.DefaultAction == "" {
			break // the union was refused
		}
		s.Architectures = arches
		program, compileErr := filter.Compile(&s)
		if compileErr != nil && len(stacks) == 2 {
			return unclean, "does not compile: " + compileErr.Error()
		}
		if compileErr != nil {
			return "", lastPart(compileErr)
		}
		stacks = append(stacks, filter.Stack{program})
	}
	if err != nil {
		return refused, err.Error()
	}
	deviations, err := filter.UnionDeviations(stacks[0], stacks[1], stacks[2])
	if err != nil {
		t.Fatal(err)
	}
	kind = exact
	for _, d := range deviations {
		k := wrong
		switch {
		case d.First.Action == d.Second.Action && (d.Arch != "amd64" || !names(first, d.Syscall) && !names(second, d.Syscall)):
			k = residue
		case !permits(d.First) && !permits(d.Second) && (d.Syscall == "" || !filter.Linked().Knows(d.Syscall)):
			k = residue // no call has the number, as far as libseccomp knows
		case d.Arch == "x86" && permits(d.First) && d.Second.String() == "LOG" && strings.Contains(strings.Join(notes, "\n"), " logged"):
			k = stricter
		case d.Arch != "amd64" && !slices.Contains(out.Architectures, archOf[d.Arch]):
			k = leftOut
		}
		if k == wrong {
			details += d.Witness.String() + "\n"
		}
		if slices.Index(order, k) > slices.Index(order, kind) {
			kind = k
		}
	}
	again, _, err := floor.Union(out, second, floor.Limits{})
	if kind != stricter && (err != nil || !reflect.DeepEqual(again, out)) {
		return wrong, "a second time it is another: " + errorText(err) + " " + text(again) + " " + text(out)
	}
	return kind, details
}

func names(s specs.LinuxSeccomp, name string) bool {
	return slices.ContainsFunc(s.Syscalls, func(r specs.LinuxSyscall) bool { return slices.Contains(r.Names, name) })
}

// Union is the join of the two compiled programs, for every call there is.
func TestUnionOfRandomPairs(t *testing.T) {
	count, pairs := judgement{}, filtertest.Few(*pairs)
	for i := range pairs {
		r := rand.New(rand.NewPCG(*seed+200, uint64(i)))
		first, second := filtertest.Profile(r), filtertest.Profile(r)
		if filtertest.MayNotReturn(first) || filtertest.MayNotReturn(second) {
			count["not judged: libseccomp might not return from the input"]++
			continue
		}
		kind, details := judgeUnion(t, first, second)
		if kind == "" {
			kind = "not judged: libseccomp refuses an input: " + details
		}
		count[kind]++
		if (kind == wrong || kind == unclean) && count[kind] < 4 {
			t.Errorf("pair %d of seed %d: %s: %s\nfirst  %s\nsecond %s", i, *seed, kind, details, text(first), text(second))
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		t.Logf("%6d %s", count[kind], kind)
	}
	if count[exact] < pairs/10 {
		t.Errorf("only %d of %d are exact: the generator or Union is off", count[exact], pairs)
	}
}

// All ordered pairs of profiles that people use have a union, and it is exact.
func TestUnionOfCorpus(t *testing.T) {
	profiles := filtertest.Corpus(t)
	count := judgement{}
	for _, a := range slices.Sorted(maps.Keys(profiles)) {
		for _, b := range slices.Sorted(maps.Keys(profiles)) {
			kind, details := judgeUnion(t, profiles[a], profiles[b])
			if count[kind]++; kind != exact && kind != residue && kind != stricter {
				t.Errorf("%s and %s: %s %s", a, b, kind, details)
			}
		}
	}
	t.Log(count)
}
