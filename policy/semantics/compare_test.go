package semantics_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// compiled is what runc would have the kernel load for s; ok is false where it
// refuses s, or where libseccomp might not return.
func compiled(t *testing.T, s specs.LinuxSeccomp) (live bpf.Program, stack filter.Stack, ok bool) {
	t.Helper()
	if filtertest.MayNotReturn(s) {
		return live, nil, false
	}
	p, err := filter.Compile(&s)
	if err != nil {
		return live, nil, false
	}
	if live, err = bpf.Check(p.Instructions); err != nil {
		t.Fatal(err)
	}
	return live, filter.Stack{p}, true
}

func compare(t *testing.T, s specs.LinuxSeccomp, live bpf.Program) *semantics.Comparison {
	t.Helper()
	c, err := semantics.CompareLive(&s, live)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What libseccomp makes of a profile is never called looser than it, nor otherwise:
// for the corpus, the default for several sets of capabilities, and random profiles,
// as they are and sealed.
func TestCompareLiveAgrees(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	all := filtertest.Corpus(t)
	for _, caps := range [][]string{{"CAP_SYS_ADMIN"}, {"CAP_SYS_PTRACE", "CAP_BPF"}, {"CAP_SYS_TIME", "CAP_SYS_MODULE", "CAP_SYSLOG"}} {
		all["default with "+caps[0]] = profile.RuntimeDefault(caps)
	}
	def := profile.RuntimeDefault(nil)
	for _, action := range []specs.LinuxSeccompAction{specs.ActErrno, specs.ActKillProcess, specs.ActTrap} {
		deny := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: def.Architectures}
		for _, rule := range def.Syscalls {
			deny.Syscalls = append(deny.Syscalls, specs.LinuxSyscall{Names: rule.Names, Action: action})
		}
		all["denies by "+string(action)] = deny
	}
	judged, calls, unclear := 0, 0, 0
	check := func(name string, s specs.LinuxSeccomp) {
		live, _, ok := compiled(t, s)
		if !ok {
			return
		}
		c := compare(t, s, live)
		judged, calls, unclear = judged+1, calls+c.Calls, unclear+len(c.Unclear)
		if c.Looser != nil || len(c.Skipped) > 0 && !strings.HasPrefix(name, "denies") {
			t.Errorf("%s: looser: %v, skipped %v: %.2000s", name, c.Looser, c.Skipped, string(profile.Encode(s)))
		}
		if c.Other != nil {
			t.Errorf("%s: otherwise: %v: %.2000s", name, c.Other, string(profile.Encode(s)))
		}
	}
	for name, s := range all {
		check(name, s)
		check(name+", sealed", profile.Seal(s))
	}
	for range 1500 {
		check("random", filtertest.Profile(r))
	}
	t.Logf("%d profiles, %d calls, %d names unclear", judged, calls, unclear)
	if judged < 500 {
		t.Errorf("only %d were judged", judged)
	}
}

// Another profile's filter is found out wherever policy/filter proves that it lets
// through what the profile denies.
func TestCompareLiveFindsOthers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	looser, found, notJudged := 0, 0, 0
	for range 1500 {
		s := filtertest.Profile(r)
		other := filtertest.Mutant(r, s)
		_, want, ok := compiled(t, s)
		live, stack, also := compiled(t, other)
		if !ok || !also {
			continue
		}
		w, err := filter.Subsumes(want, stack)
		if err != nil {
			t.Fatal(err)
		}
		c := compare(t, s, live)
		bad := c.Looser != nil || len(c.Skipped) > 0
		switch {
		case w == nil && bad:
			t.Errorf("called looser and is not: %v %v: %s, live %s", c.Looser, c.Skipped, string(profile.Encode(s)), string(profile.Encode(other)))
		case w == nil:
		case bad:
			looser, found = looser+1, found+1
		case len(c.Unclear) > 0, !permits(w.Second):
			notJudged++
		default:
			looser++
			t.Logf("not found: %s: %s, live %s", w, string(profile.Encode(s)), string(profile.Encode(other)))
		}
	}
	t.Logf("%d looser, %d found, %d not judged", looser, found, notJudged)
	if looser < 100 || found < looser*95/100 {
		t.Errorf("of %d looser filters %d were found", looser, found)
	}
}

// A runtime whose libseccomp does not know a name loads what it would for the profile
// without that name.
func TestCompareLiveSkipped(t *testing.T) {
	deny := func(names ...string) specs.LinuxSeccomp {
		return specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{Names: names, Action: specs.ActErrno}}}
	}
	allow := func(names ...string) specs.LinuxSeccomp {
		return specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Syscalls: []specs.LinuxSyscall{{Names: names, Action: specs.ActAllow}}}
	}
	for _, tt := range []struct {
		name            string
		profile, loaded specs.LinuxSeccomp
		skipped         []string
		looser          string
	}{
		{name: "the same", profile: deny("keyctl", "close_range"), loaded: deny("keyctl", "close_range")},
		{name: "a denial of a new call", profile: deny("keyctl", "close_range"), loaded: deny("keyctl"), skipped: []string{"close_range"}},
		{
			name: "a denial of an old call", profile: deny("keyctl", "bpf"), loaded: deny("keyctl"),
			looser: "bpf(0x0, 0x0, 0x0, 0x0, 0x0, 0x0) on SCMP_ARCH_X86_64: SCMP_ACT_ALLOW, and the profile says SCMP_ACT_ERRNO(EPERM)",
		},
		{name: "a new call that is let through", profile: allow("read", "close_range"), loaded: allow("read")},
		{
			name: "all is let through", profile: allow("read"), loaded: deny("keyctl"),
			looser: "write(0x0, 0x0, 0x0, 0x0, 0x0, 0x0) on SCMP_ARCH_X86_64: SCMP_ACT_ALLOW, and the profile says SCMP_ACT_ERRNO(EPERM)",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			live, _, ok := compiled(t, tt.loaded)
			if !ok {
				t.Fatal("does not compile")
			}
			c := compare(t, tt.profile, live)
			got := ""
			if c.Looser != nil {
				got = c.Looser.String()
			}
			if got != tt.looser || !slices.Equal(c.Skipped, tt.skipped) {
				t.Errorf("looser %q, skipped %q; want %q, %q", got, c.Skipped, tt.looser, tt.skipped)
			}
		})
	}
}

func TestCompareLiveIsQuick(t *testing.T) {
	s := profile.RuntimeDefault(nil)
	live, _, _ := compiled(t, s)
	began := time.Now()
	c := compare(t, s, live)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("%d calls took %s", c.Calls, took)
	}
}

func BenchmarkCompareLive(b *testing.B) {
	s := profile.RuntimeDefault(nil)
	p, err := filter.Compile(&s)
	if err != nil {
		b.Fatal(err)
	}
	live, err := bpf.Check(p.Instructions)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := semantics.CompareLive(&s, live); err != nil {
			b.Fatal(err)
		}
	}
}

func permits(r filter.Result) bool { return r.String() == "ALLOW" || r.String() == "LOG" }
