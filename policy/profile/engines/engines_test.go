package engines_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/profile/engines"
	"github.com/containerd/containerd/v2/contrib/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// What containerd makes for a container is recognised, whatever its capabilities and in whatever
// order; and no more when one rule, condition, errno or architecture is another.
func TestContainerd(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		var bounding []string
		for _, c := range profile.Capabilities {
			if r.IntN(4) == 0 {
				bounding = append(bounding, c)
			}
		}
		s := seccomp.DefaultProfile(&specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: bounding}}})
		r.Shuffle(len(s.Syscalls), func(i, j int) { s.Syscalls[i], s.Syscalls[j] = s.Syscalls[j], s.Syscalls[i] })
		if got := engines.Default(s, bounding); !strings.Contains(got, "containerd") {
			t.Fatalf("with %q it is %q", bounding, got)
		}
		own := profile.RuntimeDefault(bounding)
		if !engines.Same(&own, s) {
			t.Fatalf("with %q it is not the same as Batten's", bounding)
		}
		change := changes[r.IntN(len(changes))]
		change.to(s)
		if got := engines.Default(s, bounding); got != "" {
			t.Fatalf("with %s it is still %q", change.name, got)
		}
		if engines.Same(&own, s) {
			t.Fatalf("with %s it is still the same", change.name)
		}
	}
	s := seccomp.DefaultProfile(&specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: []string{"CAP_BPF"}}}})
	if got := engines.Default(s, nil); got != "" {
		t.Errorf("another container's is %q", got)
	}
}

var changes = []struct {
	name string
	to   func(s *specs.LinuxSeccomp)
}{
	{"one call less", func(s *specs.LinuxSeccomp) { s.Syscalls[0].Names = s.Syscalls[0].Names[1:] }},
	{"one call more", func(s *specs.LinuxSeccomp) {
		s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{Names: []string{"keyctl"}, Action: specs.ActAllow})
	}},
	{"another errno", func(s *specs.LinuxSeccomp) { n := uint(38); s.DefaultErrnoRet = &n }},
	{"an architecture less", func(s *specs.LinuxSeccomp) { s.Architectures = s.Architectures[1:] }},
	{"another default", func(s *specs.LinuxSeccomp) { s.DefaultAction = specs.ActAllow }},
	{"a flag", func(s *specs.LinuxSeccomp) { s.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagLog} }},
	{"a listener", func(s *specs.LinuxSeccomp) { s.ListenerPath = "/run/x.sock" }},
	{"another condition", func(s *specs.LinuxSeccomp) {
		i := slices.IndexFunc(s.Syscalls, func(r specs.LinuxSyscall) bool { return len(r.Args) > 0 })
		args := slices.Clone(s.Syscalls[i].Args)
		args[0].Value++
		s.Syscalls[i].Args = args
	}},
	{"a rule without its condition", func(s *specs.LinuxSeccomp) {
		i := slices.IndexFunc(s.Syscalls, func(r specs.LinuxSyscall) bool { return len(r.Args) > 0 })
		s.Syscalls[i].Args = nil
	}},
}
