package policy_test

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/profile/engines"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A container that brings an engine's default profile asks for RuntimeDefault: under present: Keep
// it gets the node's. Another filter is kept, and another answer than Keep is carried out.
func TestAsksForRuntimeDefault(t *testing.T) {
	standard := profile.RuntimeDefault([]string{"CAP_BPF"})
	another := profile.RuntimeDefault([]string{"CAP_BPF"})
	another.Syscalls = another.Syscalls[1:]
	const own = "runtimeDefault: no-keyctl\nprofiles:" + noSocketOrKeyctl
	for _, tt := range []struct {
		name, text string
		brought    specs.LinuxSeccomp
		word, why  string
		verdict    policy.Verdict
		strict     string // the profile than which the result is proved to be no looser
		rewrite    bool
	}{
		{
			name: "the node has a profile of its own", text: own, brought: standard, verdict: policy.Replace, word: "RuntimeDefault",
			why: ", and the policy's top level says present: Keep", strict: "no-keyctl", rewrite: true,
		},
		{name: "another filter", text: own, brought: another, verdict: policy.Leave, word: "Keep", why: "it brings a seccomp filter, and the policy's top level says present: Keep"},
		{
			name: "the same as the node's", text: "architectures: as-written\n", brought: standard, verdict: policy.Replace, word: "RuntimeDefault",
			why: "it asks for RuntimeDefault (it brings the default profile of containerd ",
		},
		{name: "denied", text: "present: Deny\n", brought: standard, verdict: policy.Refuse, word: "Deny", why: "it brings a seccomp filter, and the policy's top level says present: Deny"},
		{
			name: "replaced", text: "present: no-alg\nprofiles:" + noSocketOrKeyctl, brought: standard, verdict: policy.Replace, word: "no-alg",
			why: "it brings a seccomp filter, and the policy's top level says present: no-alg", strict: "no-alg", rewrite: true,
		},
		{
			name: "with a floor", text: "floor: no-alg\n" + own, brought: standard, verdict: policy.Replace, word: "RuntimeDefault",
			why: "says present: Keep, with the floor no-alg", strict: "no-alg", rewrite: true,
		},
		{
			name: "of a rule", text: own + "rules: [{name: all, match: {}, present: Keep, absent: Deny}]\n", brought: standard, verdict: policy.Replace, word: "RuntimeDefault",
			why: `), and rule "all" says present: Keep`, strict: "no-keyctl", rewrite: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, findings := policy.Parse("policy.yaml", []byte("version: 1\n"+tt.text), nil)
			if err := findings.Err(); err != nil {
				t.Fatal(err)
			}
			r := policy.Request{Bounding: []string{"CAP_BPF"}}
			o := p.Resolve(r, &tt.brought, policy.Machine{})
			if o.Verdict != tt.verdict || o.Word != tt.word || !strings.Contains(o.Reason, tt.why) || o.Rewrite != tt.rewrite {
				t.Errorf("%s, %s, rewrite %v: %s", o.Verdict, o.Word, o.Rewrite, o.Reason)
			}
			if known := o.Default != ""; known == (tt.name == "another filter") {
				t.Errorf("it is the default of %q", o.Default)
			}
			if tt.strict == "" {
				return
			}
			program, err := filter.Compile(o.Result)
			if err != nil {
				t.Fatal(err)
			}
			if w := looser(t, p, tt.strict, program); w != nil {
				t.Errorf("it is looser than %s: %v", tt.strict, w)
			}
		})
	}
}

// Who no longer has the filter can say whose default it was.
func TestAsksWithoutFilter(t *testing.T) {
	p, _ := policy.Parse("policy.yaml", []byte("version: 1\n"), nil)
	o := p.Resolve(policy.Request{Filtered: true, Default: "containerd 1"}, nil, policy.Machine{})
	want := profile.RuntimeDefault(nil)
	if o.Result == nil || !engines.Same(o.Result, &want) || !strings.HasPrefix(o.Reason, "it asks for RuntimeDefault (it brings the default profile of containerd 1), ") {
		t.Errorf("%+v", o)
	}
	if o := p.Resolve(policy.Request{Filtered: true}, nil, policy.Machine{}); o.Result != nil || o.Word != policy.Keep {
		t.Errorf("another: %+v", o)
	}
}
