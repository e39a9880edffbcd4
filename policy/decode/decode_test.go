package decode

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestCall(t *testing.T) {
	const high = 0xdeadbeef << 32
	for _, tt := range []struct {
		arch specs.Arch
		name string
		args [6]uint64
		want string
	}{
		{name: "unshare", args: [6]uint64{unix.CLONE_NEWUSER | unix.CLONE_NEWNS}, want: "unshare(CLONE_NEWNS|CLONE_NEWUSER)"},
		{name: "unshare", want: "unshare(0)"},
		{name: "unshare", args: [6]uint64{1 << 40}, want: "unshare(0x10000000000)"},
		{name: "socket", args: [6]uint64{unix.AF_VSOCK, unix.SOCK_STREAM | unix.SOCK_CLOEXEC}, want: "socket(AF_VSOCK, SOCK_CLOEXEC|SOCK_STREAM, 0)"},
		{name: "socket", args: [6]uint64{high | unix.AF_ALG, unix.SOCK_SEQPACKET}, want: "socket(AF_ALG, SOCK_SEQPACKET, 0)"},
		{name: "socket", args: [6]uint64{99, 1}, want: "socket(0x63, SOCK_STREAM, 0)"},
		{arch: specs.ArchX86, name: "socketcall", args: [6]uint64{1, 0xffd0}, want: "socketcall(SYS_SOCKET, …)"},
		{name: "clone", args: [6]uint64{high | unix.CLONE_NEWUSER | uint64(unix.SIGCHLD), 0x7ffd}, want: "clone(CLONE_NEWUSER|SIGCHLD, …)"},
		{name: "clone3", args: [6]uint64{0x7ffd, 88}, want: "clone3(…, 0x58)"},
		{name: "personality", args: [6]uint64{0x40000}, want: "personality(ADDR_NO_RANDOMIZE)"},
		{name: "personality", args: [6]uint64{0x40008}, want: "personality(ADDR_NO_RANDOMIZE|PER_LINUX32)"},
		{name: "personality", args: [6]uint64{0xffffffff}, want: "personality(0xffffffff)"},
		{name: "mount", args: [6]uint64{1, 2, 3, unix.MS_BIND | unix.MS_REC, 4}, want: "mount(…, MS_BIND|MS_REC, …)"},
		{name: "umount2", args: [6]uint64{1, unix.MNT_DETACH}, want: "umount2(…, MNT_DETACH)"},
		{name: "ptrace", args: [6]uint64{unix.PTRACE_ATTACH, 17}, want: "ptrace(PTRACE_ATTACH, 17, …)"},
		{name: "bpf", args: [6]uint64{unix.BPF_PROG_LOAD, 1, 72}, want: "bpf(BPF_PROG_LOAD, …, 0x48)"},
		{name: "keyctl", args: [6]uint64{unix.KEYCTL_GET_KEYRING_ID}, want: "keyctl(KEYCTL_GET_KEYRING_ID, …)"},
		{name: "prctl", args: [6]uint64{unix.PR_SET_NO_NEW_PRIVS, 1}, want: "prctl(PR_SET_NO_NEW_PRIVS, …)"},
		{name: "ioctl", args: [6]uint64{0, unix.TIOCSTI}, want: "ioctl(0, TIOCSTI, …)"},
		{name: "seccomp", args: [6]uint64{unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER}, want: "seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, …)"},
		{name: "openat2", args: [6]uint64{high | 0xffffff9c}, want: "openat2(AT_FDCWD, …, 0)"},
		{name: "vhangup", args: [6]uint64{1, 2, 3}, want: "vhangup()"},
		{name: "not_known", args: [6]uint64{1}, want: "not_known(…)"},
	} {
		if tt.arch == "" {
			tt.arch = specs.ArchX86_64
		}
		if got := Call(tt.arch, tt.name, tt.args, nil); got != tt.want {
			t.Errorf("%s %#x: got %s, want %s", tt.name, tt.args, got, tt.want)
		}
	}
	wide, whole := [6]uint64{high | unix.AF_UNIX, unix.SOCK_STREAM}, [6]uint64{unix.AF_UNIX, unix.SOCK_STREAM}
	if got, want := Call(specs.ArchX86_64, "socket", wide, map[uint]uint64{0: wide[0]}), "socket(AF_UNIX, SOCK_STREAM, 0) [arg0=0xdeadbeef00000001]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := Call(specs.ArchX86_64, "socket", whole, map[uint]uint64{0: whole[0]}), "socket(AF_UNIX, SOCK_STREAM, 0)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	looked := map[uint]uint64{3: 9, 1: 0x10}
	if got, want := Call(specs.ArchX86_64, "not_known", [6]uint64{}, looked), "not_known(…, arg1=0x10, …, arg3=0x9, …)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Arguments are cut as the kernel cuts them.
func TestArgument(t *testing.T) {
	const value = 0x1_0002_0003_0004
	for _, tt := range []struct {
		arch specs.Arch
		name string
		i    int
		want uint64
	}{
		{arch: specs.ArchX86_64, name: "socket", want: 0x0003_0004},
		{arch: specs.ArchX86_64, name: "unshare", want: value},
		{arch: specs.ArchX86, name: "unshare", want: 0x0003_0004},
		{arch: specs.ArchX86_64, name: "chmod", i: 1, want: 4},
	} {
		if got := Argument(tt.arch, tt.name, tt.i, value); got != tt.want {
			t.Errorf("%s's argument %d on %s: got %#x, want %#x", tt.name, tt.i, tt.arch, got, tt.want)
		}
	}
}

// FuzzFlags holds flags as text against their value: the words and the number in the text
// together are the value.
func FuzzFlags(f *testing.F) {
	f.Add(uint64(0))
	f.Add(uint64(unix.CLONE_NEWUSER | unix.CLONE_NEWNS | 1<<50))
	f.Add(^uint64(0))
	f.Fuzz(func(t *testing.T, v uint64) {
		for _, words := range [][]word{
			cloneFlags, mountFlags, unmountFlags, openTreeFlags, moveMountFlags, mountAttributes, atFlags, seccompFlags, personalities,
		} {
			text := joined(words, v)
			if got := valueOf(t, words, text); got != v {
				t.Errorf("%#x is written as %s, which is %#x", v, text, got)
			}
		}
	})
}

// valueOf returns the value of flags that are written as text.
func valueOf(t *testing.T, words []word, text string) (v uint64) {
	t.Helper()
	for part := range strings.SplitSeq(text, "|") {
		v |= valueOfWord(t, words, part)
	}
	return v
}

func valueOfWord(t *testing.T, words []word, text string) uint64 {
	t.Helper()
	for _, w := range words {
		if w.name == text {
			return w.value
		}
	}
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		t.Error(err)
	}
	return n
}

// FuzzCall holds decoding to not panicking, and to one line.
func FuzzCall(f *testing.F) {
	f.Add("unshare", uint64(0), uint64(1), uint64(2), uint64(3), true)
	f.Add("nothing\n", ^uint64(0), uint64(1), uint64(2), uint64(3), false)
	f.Fuzz(func(t *testing.T, name string, a, b, c, d uint64, narrow bool) {
		arch := specs.ArchX86_64
		if narrow {
			arch = specs.ArchX86
		}
		for _, name := range append(slices.Sorted(maps.Keys(calls())), name) {
			got := Call(arch, name, [6]uint64{a, b, c, d, a, b}, map[uint]uint64{0: a, 5: b})
			if !strings.HasPrefix(got, name+"(") || strings.Contains(got, "\n") != strings.Contains(name, "\n") {
				t.Errorf("got %q", got)
			}
		}
	})
}

// Each call that is decoded is one of Linux', and has no more than six arguments.
func TestCalls(t *testing.T) {
	for name, kinds := range calls() {
		if !syscalls.IsSyscall(name) || len(kinds) > 6 {
			t.Errorf("%s with %d arguments", name, len(kinds))
		}
	}
}
