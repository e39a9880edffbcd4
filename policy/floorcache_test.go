package policy

import (
	"fmt"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// What was computed is remembered, but not for ever.
func TestIntersectionsAreBounded(t *testing.T) {
	var c intersections
	denies := func(name string) specs.LinuxSeccomp {
		return specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{
			Names: []string{name}, Action: specs.ActErrno,
		}}}
	}
	for i := range 3 * maxIntersections {
		base := denies("keyctl")
		base.ListenerMetadata = fmt.Sprint(i)
		first, _, err := c.intersect(denies("bpf"), base, nil)
		if err != nil {
			t.Fatal(err)
		}
		again, _, _ := c.intersect(denies("bpf"), base, nil)
		if &again.Seccomp.Syscalls[0] != &first.Seccomp.Syscalls[0] {
			t.Fatalf("%d: computed again", i)
		}
		if want := i%maxIntersections + 1; len(c.known) != want {
			t.Fatalf("%d: %d are remembered, want %d", i, len(c.known), want)
		}
	}
}
