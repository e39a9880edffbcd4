package status

import (
	"sync/atomic"
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/filter"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A profile of which libseccomp does not return is said, once for all looks, and those of
// other containers are still compiled.
func TestCompileInTime(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	hangs, fine := &specs.LinuxSeccomp{DefaultAction: specs.ActErrno}, &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
	var tried atomic.Int32
	c := proofs{
		spent: compileBudget,
		make: func(_ string, s *specs.LinuxSeccomp, _ policy.Machine) (*filter.Program, error) {
			if s == hangs {
				tried.Add(1)
				<-block
			}
			return &filter.Program{}, nil
		},
	}
	for range 5 {
		_, err := c.compile("record", hangs, policy.Machine{})
		if want := "libseccomp does not compile its profile within 500ms"; err == nil || err.Error() != want {
			t.Fatalf("got %v, want %s", err, want)
		}
	}
	if n := tried.Load(); n != 1 {
		t.Errorf("it was waited for %d times", n)
	}
	if p, err := c.compile("record", fine, policy.Machine{}); p == nil || err != nil {
		t.Errorf("got %v, %v", p, err)
	}
}
