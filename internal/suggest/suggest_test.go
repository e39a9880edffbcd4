package suggest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// denial returns a call that was denied with EPERM, on x86_64.
func denial(name string, args ...uint64) denials.Denial {
	d := denials.Denial{Kind: denials.Kind{Arch: specs.ArchX86_64, Syscall: name, Action: specs.ActErrno, Errno: 1}, Count: 1}
	copy(d.Sample.Args[:], args)
	d.Sample.Comm = "app"
	return d
}

// looked returns a denial of which the profile looks at the first argument.
func looked(name string, args ...uint64) denials.Denial {
	d := denial(name, args...)
	d.Args = map[uint]uint64{0: args[0]}
	return d
}

func withErrno(d denials.Denial, errno uint16) denials.Denial {
	d.Errno = errno
	return d
}

func on(arch specs.Arch, d denials.Denial) denials.Denial {
	d.Arch = arch
	return d
}

var (
	enosys = uint(38)
	allABI = []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32}
	// small names few calls, so that runc's ENOSYS begins early.
	small = specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86},
		Syscalls: []specs.LinuxSyscall{{Names: []string{"read", "write", "openat", "execve", "exit_group"}, Action: specs.ActAllow}},
	}
	// lists says what it denies.
	lists = specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: allABI,
		Syscalls: []specs.LinuxSyscall{
			{Names: []string{"mbind", "bpf", "swapon"}, Action: specs.ActErrno},
			{Names: []string{"clone"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Index: 0, Value: unix.CLONE_NEWUSER, ValueTwo: unix.CLONE_NEWUSER, Op: specs.OpMaskedEqual}}},
		},
	}
	// answersEnosys is a default profile as Podman's: every denial says ENOSYS.
	answersEnosys = specs.LinuxSeccomp{
		DefaultAction: specs.ActErrno, DefaultErrnoRet: &enosys, Architectures: small.Architectures,
		Syscalls: small.Syscalls,
	}
)

// texts returns the calls of a list as text.
func textsOf(calls []Call) (out []string) {
	for _, c := range calls {
		out = append(out, c.Text)
	}
	return out
}

func TestFor(t *testing.T) {
	for _, tt := range []struct {
		name      string
		base      specs.LinuxSeccomp
		denials   []denials.Denial
		dangerous bool

		open, danger, leave, closed string // joined by spaces
	}{
		{name: "nothing", base: small},
		{
			name: "plain", base: small,
			denials: []denials.Denial{denial("mbind"), denial("getpid"), on(specs.ArchX86, denial("mbind"))},
			open:    "getpid(…) mbind(…)",
		},
		{
			name: "dangerous", base: profile.RuntimeDefault(nil),
			denials: []denials.Denial{denial("unshare", unix.CLONE_NEWUSER), denial("mbind"), looked("clone", unix.CLONE_NEWNET|17), looked("socket", unix.AF_VSOCK, 1)},
			open:    "mbind(…)", danger: "clone(CLONE_NEWNET|SIGCHLD, …) socket(AF_VSOCK, SOCK_STREAM, 0) unshare(CLONE_NEWUSER)",
		},
		{
			name: "dangerous, and asked for", base: profile.RuntimeDefault(nil), dangerous: true,
			denials: []denials.Denial{denial("unshare", unix.CLONE_NEWUSER), denial("mbind"), looked("clone", unix.CLONE_NEWNET|17), looked("socket", unix.AF_VSOCK, 1)},
			open:    "clone(CLONE_NEWNET|SIGCHLD, …) mbind(…) socket(AF_VSOCK, SOCK_STREAM, 0) unshare(CLONE_NEWUSER)",
		},
		{
			name: "probes", base: profile.RuntimeDefault(nil),
			denials: []denials.Denial{withErrno(denial("clone3", 1, 88), 38), denial("io_uring_setup", 8)},
			leave:   "clone3(…, 0x58) io_uring_setup(0x8, …)",
		},
		{
			name: "probes that others need", base: profile.RuntimeDefault(nil), dangerous: true,
			denials: []denials.Denial{withErrno(denial("clone3", 1, 88), 38), denial("io_uring_setup", 8), denial("io_uring_enter", 8)},
			open:    "io_uring_enter(8, 0, 0, 0) io_uring_setup(0x8, …)", leave: "clone3(…, 0x58)",
		},
		{
			name: "old calls that end with ENOSYS", base: small,
			denials: []denials.Denial{withErrno(denial("epoll_create1"), 38), withErrno(denial("pidfd_getfd"), 38)},
			open:    "epoll_create1(…)", leave: "pidfd_getfd(0, 0, 0)",
		},
		{
			name: "sockets of a profile that names few calls", base: small,
			denials: []denials.Denial{denial("connect"), denial("shmget"), withErrno(denial("accept4"), 38), on(specs.ArchX86, withErrno(denial("bind"), 38))},
			open:    "accept4(…) connect(…) shmget(…)", closed: "bind(…) [SCMP_ARCH_X86]",
		},
		{
			name: "a profile of which every denial says ENOSYS", base: answersEnosys,
			denials: []denials.Denial{withErrno(denial("mbind"), 38), withErrno(denial("statx", 0), 38)},
			open:    "mbind(…)", leave: "statx(0, …, 0, 0, …)",
		},
		{
			name: "a list of what is denied", base: lists, dangerous: true,
			denials: []denials.Denial{denial("mbind"), denial("bpf", 5), looked("clone", unix.CLONE_NEWUSER)},
			open:    "bpf(BPF_PROG_LOAD, …, 0) mbind(…)", closed: "clone(CLONE_NEWUSER, …)",
		},
		{
			name: "no line", base: small,
			denials: []denials.Denial{denial("9999"), on(specs.ArchAARCH64, denial("mbind")), on("", denial("1")), on(specs.ArchX86, denial("socketcall", 1)), denial("read")},
			closed:  "syscall 1(…) [unknown architecture] syscall 9999(…) mbind(…) [SCMP_ARCH_AARCH64] read(…) socketcall(SYS_SOCKET, …) [SCMP_ARCH_X86]",
		},
		{
			name: "one kind looks at the arguments and another does not", base: small,
			denials: []denials.Denial{looked("personality", 8), on(specs.ArchX86, denial("personality", 0x20000))}, dangerous: true,
			open: "personality(PER_LINUX32)",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := For(Question{Base: tt.base, Denials: tt.denials, Dangerous: tt.dangerous})
			if err != nil {
				t.Fatal(err)
			}
			for _, list := range []struct {
				what, want string
				got        []Call
			}{{"open", tt.open, a.Open}, {"dangerous", tt.danger, a.Dangerous}, {"leave", tt.leave, a.Leave}, {"closed", tt.closed, a.Closed}} {
				if got := strings.Join(textsOf(list.got), " "); got != list.want {
					t.Errorf("%s: got %s, want %s", list.what, got, list.want)
				}
			}
			if (a.Profile != nil) != (tt.open != "") {
				t.Fatalf("profile %v", a.Profile)
			}
			if a.Profile != nil {
				proved(t, &tt.base, a)
			}
		})
	}
}

// proved holds an answer against the compiled filters: the new one is nowhere stricter, lets
// each call through that is opened, and differs on no other.
func proved(t *testing.T, base *specs.LinuxSeccomp, a *Answer) {
	t.Helper()
	before, after := stack(t, base), stack(t, a.Profile)
	if w, err := filter.Subsumes(after, before); err != nil || w != nil {
		t.Errorf("the suggested profile is stricter: %v, %v", w, err)
	}
	changes, err := filter.Diff(before, after)
	if err != nil {
		t.Fatal(err)
	}
	want, got := make(map[string]bool), make(map[string]bool)
	for _, c := range a.Open {
		want[c.Name] = true
		nr, _ := syscalls.Number(c.Arch, c.Name)
		audit := uint32(unix.AUDIT_ARCH_X86_64)
		if c.Arch == specs.ArchX86 {
			audit = unix.AUDIT_ARCH_I386
		}
		call := filter.Call{Nr: uint32(nr), Arch: audit, Args: c.sample}
		if result, err := after.Run(call); err != nil || result.String() != "ALLOW" {
			t.Errorf("%s: %v, %v", c.Text, result, err)
		}
	}
	for _, c := range changes {
		if c.Kind == filter.Differs && (c.Witness.Second.String() == "ERRNO(ENOSYS)" || c.Witness.First.String() == "ERRNO(ENOSYS)") {
			continue // see newerOnes
		}
		if c.Kind != filter.Allows {
			t.Errorf("changes besides: %+v, %v", c, c.Witness)
		}
		got[c.Syscall] = true
		for _, o := range a.Open {
			if o.Name == c.Syscall && len(o.Args) > 0 && c.When == "" {
				t.Errorf("%s is open whatever its arguments", o.Text)
			}
		}
	}
	for _, by := range []string{"socketcall", "ipc"} { // Also says so
		if !want[by] {
			delete(got, by)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("differs on %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

func stack(t *testing.T, s *specs.LinuxSeccomp) filter.Stack {
	t.Helper()
	p, err := filter.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return filter.Stack{p}
}

// Calls that runc answers with ENOSYS, because they are newer than all that the profile names,
// still end with ENOSYS if a newer one is opened.
func TestNewerCalls(t *testing.T) {
	a, err := For(Question{Base: small, Denials: []denials.Denial{withErrno(denial("cachestat"), 1)}})
	if err != nil {
		t.Fatal(err)
	}
	if a.Profile == nil {
		t.Fatalf("%+v", a)
	}
	proved(t, &small, a)
	last := a.Profile.Syscalls[len(a.Profile.Syscalls)-1]
	if !slices.Contains(last.Names, "openat2") || last.Action != specs.ActErrno || *last.ErrnoRet != 38 {
		t.Errorf("the last rule is %v", last)
	}
}

// The proof must not hold for a profile that allows another call, or does not allow this one.
func TestProofFails(t *testing.T) {
	base := profile.RuntimeDefault(nil)
	mbind := []Call{{Name: "mbind"}}
	vsock := []Call{{Name: "socket", Args: map[uint]uint64{0: 40}}}
	with := func(rules ...specs.LinuxSyscall) *specs.LinuxSeccomp {
		out := base
		out.Syscalls = slices.Concat(base.Syscalls, rules)
		return &out
	}
	for _, tt := range []struct {
		name  string
		next  *specs.LinuxSeccomp
		calls []Call
		want  string // of the error
	}{
		{name: "control", next: with(rulesFor(mbind)...), calls: mbind},
		{name: "control with a condition", next: with(rulesFor(vsock)...), calls: vsock},
		{name: "another call", next: with(specs.LinuxSyscall{Names: []string{"mbind", "bpf"}, Action: specs.ActAllow}), calls: mbind, want: "a line for it changes bpf on SCMP_ARCH_X86_64"},
		{name: "not allowed", next: with(), calls: mbind, want: "rules of the profile deny it whatever a line says"},
		{name: "more arguments", next: with(specs.LinuxSyscall{Names: []string{"socket"}, Action: specs.ActAllow}), calls: vsock, want: "a line for it changes other calls of socket"},
		{name: "another errno", next: with(slices.Concat(rulesFor(mbind), []specs.LinuxSyscall{{Names: []string{"bpf"}, Action: specs.ActErrno, ErrnoRet: &enosys}})...), calls: mbind, want: "a line for it changes bpf"},
	} {
		err := (&proof{base: &base, next: tt.next, calls: tt.calls, native: specs.ArchX86_64}).holds()
		if got := fmt.Sprint(err); (err == nil) != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Whatever is denied, the answer is proved, and each call is in one list.
func TestRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	bases := []specs.LinuxSeccomp{small, lists, answersEnosys, profile.RuntimeDefault(nil), profile.RuntimeDefault([]string{"CAP_SYS_ADMIN", "CAP_SYS_PTRACE"})}
	for round := range 12 {
		base := bases[round%len(bases)]
		var all []denials.Denial
		for range random.IntN(20) {
			name := syscalls.Table[random.IntN(len(syscalls.Table))].Name
			if _, ok := syscalls.Number(specs.ArchX86_64, name); ok && filter.Linked().Knows(name) {
				all = append(all, denial(name))
			}
		}
		for range random.IntN(4) {
			all = append(all, looked("personality", uint64(random.Uint32())), looked("clone", uint64(random.Uint32())))
		}
		a, err := For(Question{Base: base, Denials: all, Dangerous: round%2 == 0})
		if err != nil {
			t.Fatal(round, err)
		}
		if a.Profile != nil {
			proved(t, &base, a)
		}
	}
}

// Calls that do the same to other processes are dangerous alike.
func TestDangers(t *testing.T) {
	for name, want := range map[string]Danger{
		"move_pages": pages, "migrate_pages": pages,
		"pidfd_getfd": {"takes open files from other processes", "pidfd_getfd(2)"},
	} {
		if got := dangerOf(&Call{Name: name}); got == nil || *got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if got := dangerOf(&Call{Name: "mbind"}); got != nil {
		t.Errorf("control: got %v", got)
	}
}

func TestCapabilities(t *testing.T) {
	for _, tt := range []struct {
		name     string
		bounding []string
		call     denials.Denial
		want     string
	}{
		{name: "mount", call: denial("mount"), want: "CAP_SYS_ADMIN"},
		{name: "two do", call: denial("syslog"), want: "CAP_SYS_ADMIN CAP_SYSLOG"},
		{name: "arguments", call: looked("clone", unix.CLONE_NEWUSER), want: "CAP_SYS_ADMIN"},
		{name: "none does", call: denial("add_key")},
		{name: "allowed anyway", call: denial("read")},
		{name: "it has the capability", bounding: []string{"CAP_SYS_ADMIN"}, call: denial("mount")},
	} {
		a, err := For(Question{Base: small, Bounding: tt.bounding, Denials: []denials.Denial{tt.call}, Dangerous: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range slices.Concat(a.Open, a.Leave, a.Closed) {
			slices.Sort(c.Capabilities)
			if got := strings.Join(slices.Sorted(slices.Values(strings.Fields(tt.want))), " "); strings.Join(c.Capabilities, " ") != got {
				t.Errorf("%s: got %q, want %s", tt.name, c.Capabilities, got)
			}
		}
	}
}

// The tables name system calls.
func TestTables(t *testing.T) {
	for _, name := range slices.Concat(slices.Collect(maps.Keys(dangers)), slices.Collect(maps.Keys(syscalls.Fallbacks)), slices.Collect(maps.Keys(survived))) {
		if !syscalls.IsSyscall(name) {
			t.Errorf("%s is no system call", name)
		}
	}
}

func TestPodGlob(t *testing.T) {
	for _, tt := range []struct{ name, glob, stem string }{
		{name: "shop-7d4b9c6f5d-x2x7p", glob: "shop-*-?????", stem: "shop"},
		{name: "shop-web-6b474476c4-x2x7p", glob: "shop-web-*-?????", stem: "shop-web"},
		{name: "backup-29384756-9xk2d", glob: "backup-*-?????", stem: "backup"},
		{name: "fluentd-x2x7p", glob: "fluentd-?????", stem: "fluentd"},
		{name: "db-0", glob: "db-*", stem: "db"},
		{name: "db-primary", glob: "db-primary", stem: "db-primary"},
		{name: "shop", glob: "shop", stem: "shop"},
		{name: "", glob: "", stem: ""},
	} {
		if glob, stem := PodGlob(tt.name); glob != tt.glob || stem != tt.stem {
			t.Errorf("%s: got %s, %s", tt.name, glob, stem)
		}
	}
}

func TestProfileName(t *testing.T) {
	for _, tt := range []struct {
		parts []string
		want  string
	}{
		{parts: []string{"shop", "main"}, want: "shop-main"},
		{parts: []string{"", "My_App.1"}, want: "my-app-1"},
		{parts: []string{"", "/"}, want: "suggested"},
		{parts: []string{strings.Repeat("a", 70)}, want: strings.Repeat("a", 59)},
	} {
		if got := profileName(tt.parts...); got != tt.want || !policy.IsProfileName(got) {
			t.Errorf("%q: got %q, want %q", tt.parts, got, tt.want)
		}
	}
	for _, name := range []string{"", "builtin", "Shop", "-a", "a-", "a.b", strings.Repeat("a", 64)} {
		if policy.IsProfileName(name) {
			t.Errorf("%q is no name", name)
		}
	}
}
