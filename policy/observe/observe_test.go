package observe_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/observe"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var (
	profiles = flag.Int("profiles", 600, "how many random profiles to prove; with -short a fifth")
	seed     = flag.Uint64("seed", 21, "of the random profiles")
)

const socket = "/run/listener.sock"

func request(s specs.LinuxSeccomp, mode observe.Mode) observe.Request {
	return observe.Request{Seccomp: s, Mode: mode, Runtime: filter.Linked(), ListenerPath: socket}
}

var modes = map[string]observe.Mode{"Count": observe.Count, "Audit": observe.Audit}

// The twin of each profile that people use is exact, and small enough to load.
func TestObserveCorpus(t *testing.T) {
	profiles := filtertest.Corpus(t)
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		for mode, m := range modes {
			v := judge(t, profiles[name], m)
			if v.wrong != "" || v.skipped != "" {
				t.Errorf("%s, %s: %s%s", name, mode, v.skipped, v.wrong)
			}
			t.Logf("%s, %s: %d instructions for %d, %d unseen", name, mode, v.instructions[1], v.instructions[0], v.unseen)
		}
	}
}

// Random profiles know the traps: see filtertest.
func TestObserveRandom(t *testing.T) {
	count, wrong, profiles := map[string]int{}, 0, filtertest.Few(*profiles)
	for i := range profiles {
		s := filtertest.Profile(rand.New(rand.NewPCG(*seed, uint64(i))))
		if filtertest.MayNotReturn(s) {
			continue
		}
		for mode, m := range modes {
			v := judge(t, s, m)
			switch {
			case v.skipped != "":
				count[mode+" not judged: "+v.skipped[:min(150, len(v.skipped))]]++
			case v.wrong != "":
				if wrong++; wrong < 6 {
					t.Errorf("profile %d, %s: %s%s", i, mode, v.wrong[:min(600, len(v.wrong))], profile.Encode(s))
				}
			default:
				count[mode+" exact"]++
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d wrong", wrong)
	}
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		t.Logf("%6d %s", count[kind], kind)
	}
	for mode := range modes {
		if count[mode+" exact"] < profiles/4 {
			t.Errorf("%s: only %d of %d are judged", mode, count[mode+" exact"], profiles)
		}
	}
}

// What the profile allows, or an architecture that it does not list, has no errno: if the
// listener were asked, the call would fail.
func TestAnswerElsewhere(t *testing.T) {
	out, err := observe.Profile(request(profile.RuntimeDefault(nil), observe.Count))
	if err != nil {
		t.Fatal(err)
	}
	call := bpf.Call{Arch: unix.AUDIT_ARCH_X86_64, Nr: unix.SYS_UNSHARE, Args: [6]uint64{unix.CLONE_NEWUSER}}
	if outcome, ok := out.Answer(call); !ok || outcome.String() != "SCMP_ACT_ERRNO(EPERM)" || out.Errno(call) != uint16(unix.EPERM) {
		t.Errorf("unshare: %s %v %d", outcome, ok, out.Errno(call))
	}
	call.Nr = unix.SYS_READ
	if outcome, ok := out.Answer(call); !ok || outcome != semantics.Allow || out.Errno(call) != uint16(unix.ENOSYS) {
		t.Errorf("read: %s %v %d", outcome, ok, out.Errno(call))
	}
	for _, elsewhere := range []bpf.Call{{Arch: unix.AUDIT_ARCH_AARCH64, Nr: 29}, {Arch: unix.AUDIT_ARCH_X86_64, Nr: 100_000}} {
		if outcome, ok := out.Answer(elsewhere); ok || out.Errno(elsewhere) != uint16(unix.ENOSYS) {
			t.Errorf("%+v: %s %v %d", elsewhere, outcome, ok, out.Errno(elsewhere))
		}
	}
}

// What cannot be observed is an error, and a near one can.
func TestNotObserved(t *testing.T) {
	allow := func(actions ...specs.LinuxSeccompAction) (s specs.LinuxSeccomp) {
		s = specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
		for _, a := range actions {
			s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{Names: []string{"keyctl"}, Action: a})
		}
		return s
	}
	listens := allow(specs.ActNotify)
	listens.ListenerPath = socket
	names := allow()
	names.DefaultAction = specs.ActErrno
	noListener := request(allow(specs.ActErrno), observe.Count)
	noListener.ListenerPath = ""
	for _, test := range []struct {
		name    string
		request observe.Request
		want    string
	}{
		{name: "control", request: request(allow(specs.ActErrno), observe.Count)},
		{name: "a listener of its own", request: request(listens, observe.Count), want: "the profile notifies a listener of its own, and a container can have only one: it cannot be observed"},
		{name: "no listener", request: noListener, want: "no listenerPath is given for the observing profile"},
		{name: "names nothing", request: request(names, observe.Count), want: "the profile: it denies by default and names no call, so no container can start under it"},
		{name: "names nothing, audited", request: request(names, observe.Audit)},
	} {
		_, err := observe.Profile(test.request)
		if got := fmt.Sprint(err); test.want == "" && err != nil || test.want != "" && got != test.want {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// RuntimeDefault's twin is short of nothing that matters: what it does not notify of is known.
func TestUnseenOfRuntimeDefault(t *testing.T) {
	out, err := observe.Profile(request(profile.RuntimeDefault(nil), observe.Count))
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string][]string)
	for _, u := range out.Unseen {
		got[u.Why] = append(got[u.Why], u.Name)
	}
	for _, why := range slices.Sorted(maps.Keys(got)) {
		t.Logf("%s: %q", why, got[why])
	}
	for _, name := range []string{"unshare", "mount", "bpf", "clone", "keyctl", "ptrace", "personality", "socket", "add_key"} {
		for _, u := range out.Unseen {
			if u.Name == name && slices.Contains(u.Arches, specs.ArchX86_64) {
				t.Errorf("%s is not seen: %s", name, u.Why)
			}
		}
	}
}

// Where the profile does not allow socketcall, libseccomp makes one call there of all
// conditions on socket: the denied families are seen all the same, on both architectures.
func TestObserveSocketFamilies(t *testing.T) {
	s := specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86},
		Syscalls: []specs.LinuxSyscall{
			{Names: []string{"read", "execve", "exit_group", "openat2"}, Action: specs.ActAllow},
			{Names: []string{"socket"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpNotEqual, Value: unix.AF_VSOCK}}},
		},
	}
	if v := judge(t, s, observe.Count); v.wrong != "" || v.skipped != "" {
		t.Fatal(v.skipped + v.wrong)
	}
	out, err := observe.Profile(request(s, observe.Count))
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range out.Unseen {
		if u.Name == "socket" {
			t.Errorf("socket is not seen on %s: %s", u.Arches, u.Why)
		}
	}
}

// The estimate of a twin's size holds where rules are long, too.
func TestObserveManyConditions(t *testing.T) {
	s := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64}}
	for i := range uint64(60) {
		s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{Names: []string{"keyctl", "ioctl"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{
			{Index: 0, Op: specs.OpEqualTo, Value: i << 32}, {Index: 1, Op: specs.OpEqualTo, Value: i<<33 | i}, {Index: 2, Op: specs.OpEqualTo, Value: i},
		}})
	}
	out, err := observe.Profile(request(s, observe.Count))
	if err != nil {
		t.Fatal(err)
	}
	twin, err := filter.Compile(&out.Seccomp)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(twin.Instructions); n > out.Instructions {
		t.Errorf("%d instructions, estimated as %d", n, out.Instructions)
	}
}

// The flags of the twin are the profile's, and WAIT_KILLABLE_RECV where that is asked for and
// somebody is notified: the kernel refuses it else. No list goes on meaning SPEC_ALLOW.
func TestKillable(t *testing.T) {
	const spec, log, killable = specs.LinuxSeccompFlagSpecAllow, specs.LinuxSeccompFlagLog, specs.LinuxSeccompFlagWaitKillableRecv
	type flags = []specs.LinuxSeccompFlag
	for _, tt := range []struct {
		name     string
		own      flags
		denies   string
		killable bool
		want     flags
	}{
		{name: "not asked for", denies: "keyctl"},
		{name: "no list", denies: "keyctl", killable: true, want: flags{spec, killable}},
		{name: "an empty list", own: flags{}, denies: "keyctl", killable: true, want: flags{killable}},
		{name: "others", own: flags{log}, denies: "keyctl", killable: true, want: flags{log, killable}},
		{name: "there already", own: flags{killable}, denies: "keyctl", killable: true, want: flags{killable}},
		{name: "nothing to be notified of", denies: "write", killable: true},
	} {
		s := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Flags: tt.own, Syscalls: []specs.LinuxSyscall{{Names: []string{tt.denies}, Action: specs.ActErrno}}}
		r := request(s, observe.Count)
		r.Killable = tt.killable
		out, err := observe.Profile(r)
		if err != nil {
			t.Fatal(err)
		}
		if got := out.Seccomp.Flags; !slices.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
			t.Errorf("%s: flags %q, want %q", tt.name, got, tt.want)
		}
	}
}
