package engines_test

import (
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/profile/engines"
)

func BenchmarkDefault(b *testing.B) {
	own := profile.RuntimeDefault([]string{"CAP_SYS_ADMIN"})
	for b.Loop() {
		if engines.Default(&own, []string{"CAP_SYS_ADMIN"}) == "" {
			b.Fatal("it is not known")
		}
	}
}
