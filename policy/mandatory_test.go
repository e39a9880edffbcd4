package policy_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const noSocketOrKeyctl = `
  no-alg: {inline: {defaultAction: SCMP_ACT_ALLOW, architectures: [SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32], syscalls: [{names: [socket], action: SCMP_ACT_ERRNO, args: [{index: 0, op: SCMP_CMP_MASKED_EQ, value: 0xffffffff, valueTwo: 38}]}]}}
  no-keyctl: {inline: {defaultAction: SCMP_ACT_ALLOW, architectures: [SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32], syscalls: [{names: [keyctl], action: SCMP_ACT_ERRNO, errnoRet: 38}]}}
`

// Whatever a container brings and the policy says, what it runs under is proved to be nowhere
// looser than each mandatory floor, in mode Audit, too, or than each floor of a list.
func TestMandatoryHolds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	proved := 0
	for i := range 150 {
		answers := fmt.Sprintf("absent: %s\npresent: %s\nfloor: %s\nmode: %s\n",
			filtertest.Pick(r, []string{"RuntimeDefault", "Unconfined"}), filtertest.Pick(r, []string{"Keep", "RuntimeDefault"}),
			filtertest.Pick(r, []string{"None", "RuntimeDefault"}), filtertest.Pick(r, []string{"Enforce", "Audit"}))
		answers += "mandatoryFloors: [no-alg, no-keyctl]\n"
		if i%3 == 0 {
			answers = fmt.Sprintf("absent: %s\npresent: %s\nfloor: [%s]\n",
				filtertest.Pick(r, []string{"RuntimeDefault", "Unconfined"}), filtertest.Pick(r, []string{"Keep", "RuntimeDefault"}),
				filtertest.Pick(r, []string{"no-alg, no-keyctl", "no-keyctl, no-alg", "no-alg, RuntimeDefault, no-keyctl"}))
		}
		p, findings := policy.Parse("policy.yaml", []byte("version: 1\n"+answers+"profiles:"+noSocketOrKeyctl), nil)
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		var brought *specs.LinuxSeccomp
		if i%4 != 0 {
			s := filtertest.Profile(r)
			if filtertest.MayNotReturn(s) || profile.FiltersNothing(&s) {
				continue
			}
			brought = &s
		}
		o := p.Resolve(policy.Request{}, brought, policy.Machine{})
		runs := o.Runs()
		if o.Refused() {
			continue
		}
		if runs == nil {
			t.Fatalf("%s: it runs under no filter", answers)
		}
		program, err := filter.Compile(runs)
		if err != nil {
			continue // the runtime refuses it
		}
		for _, name := range []string{"no-alg", "no-keyctl"} {
			if w := looser(t, p, name, program); w != nil {
				t.Fatalf("%s%s: %v\nbrought %s", answers, name, w, encoded(brought))
			}
		}
		proved++
	}
	if proved < 60 {
		t.Errorf("only %d were proved", proved)
	}
}

func encoded(s *specs.LinuxSeccomp) string {
	if s == nil {
		return "none"
	}
	return string(profile.Encode(*s))
}

// looser returns a call that a program lets through and a profile of the policy denies.
func looser(t *testing.T, p *policy.Policy, name string, program *filter.Program) *filter.Witness {
	t.Helper()
	alone, findings := policy.Parse("policy.yaml", []byte("version: 1\nabsent: "+name+"\narchitectures: as-written\nprofiles:"+noSocketOrKeyctl), nil)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	floor, err := filter.Compile(alone.Resolve(policy.Request{}, nil, policy.Machine{}).Result)
	if err != nil {
		t.Fatal(err)
	}
	w, err := filter.Subsumes(filter.Stack{floor}, filter.Stack{program})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Without mandatory floors the control holds: an audit lets the container run as it asks.
func TestNoMandatory(t *testing.T) {
	p, findings := policy.Parse("policy.yaml", []byte("version: 1\nmode: Audit\ndenials: Silent\n"), nil)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	brought := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: []string{"bpf"}, Action: specs.ActErrno}}}
	if o := p.Resolve(policy.Request{}, brought, policy.Machine{}); o.Runs() != brought || o.Mandatory != "" {
		t.Errorf("it runs under %s, %q", encoded(o.Runs()), o.Mandatory)
	}
	if o := p.Resolve(policy.Request{}, nil, policy.Machine{}); o.Runs() != nil {
		t.Errorf("it runs under %s", encoded(o.Runs()))
	}
}

// check asks the runtime about mandatory floors, too, of containers that run unconfined.
func TestMandatorySkipped(t *testing.T) {
	p, findings := policy.Parse("policy.yaml", []byte(`version: 1
absent: Unconfined
mandatoryFloors: [newer]
profiles: {newer: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [setxattrat], action: SCMP_ACT_ERRNO}]}}}
`), nil)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	found := p.Skipped(policy.Machine{Runtime: syscalls.RuntimeOfVersion("/usr/sbin/runc", "2.5.4")})
	if len(found) == 0 || !strings.Contains(found[0].Message, `mandatory floor "newer" denies setxattrat`) {
		t.Errorf("found %v", found)
	}
	if found := p.Skipped(policy.Machine{}); len(found) != 0 {
		t.Errorf("of an unknown runtime: %v", found)
	}
}

// A floor that is all that a container runs under does what it says, also where libseccomp makes
// something else of its rules: of two calls the one that x86_64 lacks would hide the other.
func TestFloorAlone(t *testing.T) {
	for head, modes := range map[string][]policy.Mode{
		"absent: Unconfined\nmandatoryFloors: [f]": {policy.Enforce, policy.Audit},
		"absent: Unconfined\nfloor: f":             {policy.Enforce},
		"absent: f\nfloor: f":                      {policy.Enforce},
	} {
		p, findings := policy.Parse("policy.yaml", []byte("version: 1\n"+head+`
profiles:
  f: {inline: {defaultAction: SCMP_ACT_ALLOW, architectures: [SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32], syscalls: [
    {names: [umount], action: SCMP_ACT_ERRNO}, {names: [clone], action: SCMP_ACT_ERRNO, args: [{index: 0, op: SCMP_CMP_MASKED_EQ, value: 0x10000000, valueTwo: 0x10000000}]}]}}
`), nil)
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		for _, p.Mode = range modes {
			o := p.Resolve(policy.Request{}, nil, policy.Machine{})
			program, err := filter.Compile(o.Runs())
			if err != nil {
				t.Fatal(err)
			}
			call := filter.Call{Arch: unix.AUDIT_ARCH_X86_64, Nr: 56, Args: [6]uint64{unix.CLONE_NEWUSER}}
			if got, err := program.Run(call); err != nil || got.String() != "ERRNO(EPERM)" {
				t.Errorf("%q, %v: clone(CLONE_NEWUSER): %v, %v", head, p.Mode, got, err)
			}
			if got, err := program.Run(filter.Call{Arch: call.Arch, Nr: call.Nr}); err != nil || got.String() != "ALLOW" {
				t.Errorf("%q, %v: clone(0): %v, %v", head, p.Mode, got, err)
			}
		}
	}
}
