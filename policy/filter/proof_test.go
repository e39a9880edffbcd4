package filter_test

import (
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

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
