package observe_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
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

// verdict is what is wrong with the twin of a profile; it is empty if nothing is.
type verdict struct {
	wrong        string
	skipped      string // why nothing was judged
	instructions [2]int // of the profile, and its twin
	unseen       int
}

// judge makes the twin of a profile, compiles both and compares them by the prover.
func judge(t *testing.T, s specs.LinuxSeccomp, mode observe.Mode) (v verdict) {
	t.Helper()
	own, err := filter.Compile(&s)
	if err != nil {
		v.skipped = "libseccomp refuses the profile"
		return v
	}
	out, err := observe.Profile(request(s, mode))
	if err != nil {
		v.skipped = err.Error()
		return v
	}
	twin, err := filter.Compile(&out.Seccomp)
	if err != nil {
		v.wrong = "libseccomp refuses the twin: " + err.Error()
		return v
	}
	v.instructions, v.unseen = [2]int{len(own.Instructions), len(twin.Instructions)}, len(out.Unseen)
	if n := len(twin.Instructions); n > filter.MaxInstructions || n > out.Instructions {
		v.wrong = fmt.Sprintf("%d instructions, estimated as %d", n, out.Instructions)
		return v
	}
	if mode == observe.Count {
		v.wrong = judgeCount(t, own, twin)
	}
	v.wrong += judgeCells(t, own, twin, out, mode)
	return v
}

// judgeCount: with NOTIFY read as the listener's answer, the twin is the profile.
func judgeCount(t *testing.T, own, twin *filter.Program) string {
	t.Helper()
	answered := twin.Answered(filter.Answers{Errnos: own})
	w, err := filter.Equal(filter.Stack{own}, filter.Stack{answered})
	if err != nil {
		t.Fatal(err)
	}
	if w != nil {
		return "not equal: " + w.String() + "\n"
	}
	w, err = filter.Subsumes(filter.Stack{own}, filter.Stack{answered})
	if err != nil || w != nil {
		return "looser\n"
	}
	return ""
}

// judgeCells holds the twin to the profile wherever they differ: it must notify of what the
// profile denies, or list it; the answers must be the profile's.
func judgeCells(t *testing.T, own, twin *filter.Program, out *observe.Observed, mode observe.Mode) (wrong string) {
	t.Helper()
	cells, err := filter.Pairs(filter.Stack{own}, filter.Stack{twin})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cells {
		seen := c.First.Action == unix.SECCOMP_RET_ERRNO || mode == observe.Audit && c.First.Denies()
		notified := c.Second.Action == unix.SECCOMP_RET_USER_NOTIF
		switch {
		case notified && !seen && lists(out, c.Arch, c.Syscall) && c.First.Denies(): // an architecture that is added
		case notified && !seen:
			wrong += "notified of what is not denied: " + c.String() + "\n"
		case notified:
			wrong += answers(own, out, c)
		case seen && !lists(out, c.Arch, c.Syscall):
			wrong += "neither notified of nor listed: " + c.String() + "\n"
		case seen && mode == observe.Audit && c.Second.Denies() && !killed(out, c.Arch) && c.Call.Nr < 1<<31:
			wrong += "denied in an audit: " + c.String() + "\n"
		case !seen && c.First != c.Second && !lists(out, c.Arch, c.Syscall):
			wrong += "another outcome: " + c.String() + "\n"
		}
	}
	return wrong
}

// answers compares the listener's answer with what the compiled profile says, at a call and
// at calls near it.
func answers(own *filter.Program, out *observe.Observed, c filter.Witness) string {
	if out.Seccomp.Architectures != nil && !lists(out, c.Arch, "") {
		outcome, ok := out.Answer(c.Call)
		if want := c.First.String(); !ok || outcome.String() != "SCMP_ACT_"+want {
			return "answered with " + outcome.String() + ": " + c.String() + "\n"
		}
		if c.First.Action == unix.SECCOMP_RET_ERRNO && out.Errno(c.Call) != c.First.Data {
			return "another errno: " + c.String() + "\n"
		}
	}
	return ""
}

var archOf = map[string]specs.Arch{"amd64": specs.ArchX86_64, "x86": specs.ArchX86, "x32": specs.ArchX32}

// lists reports whether Unseen has a call; or, without a name, an architecture that the
// profile kills.
func lists(out *observe.Observed, arch, name string) bool {
	return slices.ContainsFunc(out.Unseen, func(u observe.Unseen) bool {
		on := slices.Contains(u.Arches, archOf[arch])
		if u.Name == "" && strings.Contains(u.Why, "does not list") {
			return on
		}
		if u.Name == "" {
			return strings.Contains(u.Why, "no name") && (name == "" || !filter.Linked().Knows(name) || arch == "x32" && slices.Contains(observe.NotOnX32, name))
		}
		return on && name == u.Name
	}) || arch == "other"
}

// killed reports whether the twin kills programs of an architecture.
func killed(out *observe.Observed, arch string) bool {
	return arch == "other" || slices.ContainsFunc(out.Unseen, func(u observe.Unseen) bool {
		return slices.Contains(u.Arches, archOf[arch]) && strings.HasSuffix(u.Why, "are killed")
	})
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
	count, wrong, profiles := map[string]int{}, 0, *profiles
	if testing.Short() {
		profiles /= 5
	}
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
