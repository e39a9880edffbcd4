package suggest

import (
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/policy/profile"
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

// suggestCases are denials and what is suggested for them.
var suggestCases = []struct {
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
}

func TestFor(t *testing.T) {
	for _, tt := range suggestCases {
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
