package observe

import (
	"math/rand/v2"
	"testing"

	"github.com/batten-runtime/batten/policy/semantics/region"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A value meets one of the conditions exactly if it is in neither cube.
func TestAround(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	few := func() uint64 { return random.Uint64() & random.Uint64() & random.Uint64() }
	for range 2000 {
		maskA, maskB := few(), ^few()
		if random.IntN(2) == 0 {
			maskA = ^few()
		}
		valueA, valueB := random.Uint64()&maskA, random.Uint64()&maskB
		if random.IntN(2) == 0 {
			maskA, maskB, valueA, valueB = maskA|0xffffffff<<32, maskB|0xffffffff<<32, valueA&0xffffffff, valueB&0xffffffff
		}
		if maskA&maskB&(valueA^valueB) == 0 {
			continue
		}
		conds := around(maskA, valueA, maskB, valueB)
		for range 300 {
			x := random.Uint64()
			switch random.IntN(4) { // often in one of the cubes, or a bit beside it
			case 0:
				x = x&^maskA | valueA
			case 1:
				x = x&^maskB | valueB
			case 2:
				x = (x&^maskA | valueA) ^ 1<<random.IntN(64)
			}
			want := x&maskA != valueA && x&maskB != valueB
			if got := meets(x, conds); got != want {
				t.Fatalf("%#x/%#x and %#x/%#x: %#x meets a condition: %v, want %v; of %v", valueA, maskA, valueB, maskB, x, got, want, conds)
			}
		}
	}
}

func meets(x uint64, conds []specs.LinuxSeccompArg) bool {
	for _, c := range conds {
		if c.Op == specs.OpGreaterThan && x > c.Value {
			return true
		}
		if mask, value, ok := region.Cube(c); ok && x&mask == value {
			return true
		}
	}
	return false
}
