package policy_test

import (
	"fmt"
	"testing"

	"github.com/batten-runtime/batten/policy"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A container whose profile would be worked on for minutes is refused, and one
// with a profile that is large and within the limits starts.
func TestResolveRefusesWork(t *testing.T) {
	brought := func(rules int) *specs.LinuxSeccomp {
		s := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
		for r := range rules {
			rule := specs.LinuxSyscall{Action: specs.ActErrno}
			for n := range 100 {
				rule.Names = append(rule.Names, fmt.Sprintf("invented%d", n))
			}
			for arg := range uint(6) {
				rule.Args = append(rule.Args, specs.LinuxSeccompArg{Index: arg, Op: specs.OpNotEqual, Value: uint64(r)})
			}
			s.Syscalls = append(s.Syscalls, rule)
		}
		return s
	}
	p, findings := policy.Parse("p.yaml", []byte("version: 1\nfloor: RuntimeDefault\n"), readNothing)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	const want = `policy "p.yaml": floor "RuntimeDefault" cannot be put under its profile: the profile: its rules have 40000 names together, more than 8192; list fewer names, or join rules`
	if o := p.Resolve(policy.Request{ContainerdNamespace: "default"}, brought(400), policy.Machine{}); o.Refusal != want || !o.Refused() {
		t.Errorf("got  %s\nwant %s", o.Refusal, want)
	}
	if o := p.Resolve(policy.Request{ContainerdNamespace: "default"}, brought(10), policy.Machine{}); o.Refused() {
		t.Errorf("within the limits: %s", o.Refusal)
	}
}
