package filter_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// semantics.Between says, without libseccomp, of each pair of real profiles which calls
// Diff finds to be denied and allowed.
func TestBetweenAgreesWithDiff(t *testing.T) {
	corpus := filtertest.Corpus(t)
	corpus["nothing denied"] = specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32},
		Syscalls: []specs.LinuxSyscall{{Names: []string{"getpid"}, Action: specs.ActLog}},
	}
	compared := 0
	for _, a := range slices.Sorted(maps.Keys(corpus)) {
		for _, b := range slices.Sorted(maps.Keys(corpus)) {
			if a != b {
				agree(t, a, b, corpus)
				compared++
			}
		}
	}
	if compared < 20 {
		t.Errorf("only %d pairs", compared)
	}
}

func agree(t *testing.T, a, b string, corpus map[string]specs.LinuxSeccomp) {
	t.Helper()
	// Names that this libseccomp does not know are another matter.
	first, second := semantics.AsRead(ptr(corpus[a]), filter.Linked()), semantics.AsRead(ptr(corpus[b]), filter.Linked())
	said, err := semantics.Between(&first, &second, nil)
	if err != nil {
		t.Fatalf("%s to %s: %v", a, b, err)
	}
	one, err := filter.Compile(&first)
	if err != nil {
		t.Fatal(err)
	}
	two, err := filter.Compile(&second)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := filter.Diff(filter.Stack{one}, filter.Stack{two})
	if err != nil {
		t.Fatal(err)
	}
	moved := map[string]bool{"x32": true} // and architectures of which one kills all
	for _, arch := range slices.Concat(said.Closed, said.Opened) {
		moved[filterArch[arch]] = true
	}
	want := map[string]map[string]bool{filter.Denies: {}, filter.Allows: {}}
	for _, c := range changes {
		if want[c.Kind] != nil && syscalls.IsSyscall(c.Syscall) && !moved[c.Arch] {
			want[c.Kind][c.Syscall] = true
		}
	}
	for kind, got := range map[string][]string{filter.Denies: slices.Concat(said.Denied, said.DeniedSome), filter.Allows: said.Allowed} {
		slices.Sort(got)
		if names := slices.Sorted(maps.Keys(want[kind])); !slices.Equal(got, names) {
			t.Errorf("%s to %s: of what it %s only Between has %q, only Diff %q", a, b, kind, butFor(got, names), butFor(names, got))
		}
	}
}

var filterArch = map[specs.Arch]string{specs.ArchX86_64: "amd64", specs.ArchX86: "x86", specs.ArchX32: "x32"}

func butFor(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(name string) bool { return slices.Contains(b, name) })
}

func ptr(s specs.LinuxSeccomp) *specs.LinuxSeccomp { return &s }
