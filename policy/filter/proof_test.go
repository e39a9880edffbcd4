package filter_test

import (
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// TestCompileIsRuncs: what runc had the kernel load is what Compile makes, for every
// call. TestCompiled in integration does so with as many profiles as one likes.
func TestCompileIsRuncs(t *testing.T) {
	for i, l := range filtertest.ByRunc(t) {
		program, err := filter.Compile(&l.Profile)
		if err != nil {
			t.Errorf("%d: %v", i, err)
			continue
		}
		witness, err := filter.Equal(filter.Stack{program}, filter.Stack{{Instructions: l.Instructions}})
		if witness != nil || err != nil {
			t.Errorf("%d: %v (%v)", i, witness, err)
		}
	}
}

func BenchmarkProof(b *testing.B) {
	narrow, wide := profile.RuntimeDefault(nil), profile.RuntimeDefault([]string{"CAP_SYS_ADMIN"})
	compiled := func(s specs.LinuxSeccomp) filter.Stack {
		program, err := filter.Compile(&s)
		if err != nil {
			b.Fatal(err)
		}
		return filter.Stack{program}
	}
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			compiled(narrow)
		}
	})
	n, w := compiled(narrow), compiled(wide)
	b.Run("subsumes", func(b *testing.B) {
		for b.Loop() {
			if witness, err := filter.Subsumes(w, n); witness != nil || err != nil {
				b.Fatal(witness, err)
			}
		}
	})
}
