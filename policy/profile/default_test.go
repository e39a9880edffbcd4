package profile_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/containerd/containerd/v2/pkg/cap"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// TestRuntimeDefault compares with containerd's own function: every capability
// alone, all of them, and random sets in random order, rule by rule.
func TestRuntimeDefault(t *testing.T) {
	known := cap.Known()
	sets := [][]string{nil, {}, known, {"CAP_UNKNOWN"}, {"CAP_SYS_ADMIN", "CAP_SYS_ADMIN"}}
	for _, c := range known {
		sets = append(sets, []string{c})
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var set []string
		for _, i := range random.Perm(len(known))[:random.IntN(len(known))] {
			set = append(set, known[i])
		}
		sets = append(sets, set)
	}
	for _, set := range sets {
		want := *seccomp.DefaultProfile(&specs.Spec{
			Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: set}},
		})
		if got := profile.RuntimeDefault(set); !reflect.DeepEqual(got, want) {
			t.Fatalf("RuntimeDefault(%q):\n%+v\nwant\n%+v", set, got, want)
		}
	}
}

// TestRuntimeDefaultIsTheCallers changes what one call returned.
func TestRuntimeDefaultIsTheCallers(t *testing.T) {
	want := profile.Encode(profile.RuntimeDefault(nil))
	s := profile.RuntimeDefault(nil)
	s.Syscalls[0] = specs.LinuxSyscall{Names: []string{"reboot"}, Action: specs.ActAllow}
	s.Architectures[0] = specs.ArchMIPS
	_ = append(s.Syscalls[:1], specs.LinuxSyscall{})
	if got := profile.Encode(profile.RuntimeDefault(nil)); string(got) != string(want) {
		t.Errorf("now it is %s", got)
	}
}
