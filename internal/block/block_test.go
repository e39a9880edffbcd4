package block_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/block"
	"github.com/batten-runtime/batten/policy"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const low = 1<<32 - 1

func masked(i uint, mask, value uint64) specs.LinuxSeccompArg {
	return specs.LinuxSeccompArg{Index: i, Op: specs.OpMaskedEqual, Value: mask, ValueTwo: value}
}

// Words, numbers and globs are what the kernel looks at.
func TestParse(t *testing.T) {
	uring := []string{"io_uring_enter", "io_uring_register", "io_uring_setup"}
	for _, tt := range []struct {
		text  string
		names []string
		args  []specs.LinuxSeccompArg
	}{
		{text: "bpf", names: []string{"bpf"}},
		{text: "io_uring_*", names: uring},
		{text: "socket(AF_ALG)", names: []string{"socket"}, args: []specs.LinuxSeccompArg{masked(0, low, unix.AF_ALG)}},
		{text: " socket( 38 , * ) ", names: []string{"socket"}, args: []specs.LinuxSeccompArg{masked(0, low, 38)}},
		{text: "socket(*, SOCK_RAW)", names: []string{"socket"}, args: []specs.LinuxSeccompArg{masked(1, 0xf, unix.SOCK_RAW)}},
		{text: "socket(AF_NETLINK, *, 12)", names: []string{"socket"}, args: []specs.LinuxSeccompArg{masked(0, low, unix.AF_NETLINK), masked(2, low, 12)}},
		{text: "clone(CLONE_NEWUSER)", names: []string{"clone"}, args: []specs.LinuxSeccompArg{masked(0, unix.CLONE_NEWUSER, unix.CLONE_NEWUSER)}},
		{text: "clone(CLONE_NEWUSER|CLONE_NEWNS)", names: []string{"clone"}, args: []specs.LinuxSeccompArg{masked(0, unix.CLONE_NEWUSER|unix.CLONE_NEWNS, unix.CLONE_NEWUSER|unix.CLONE_NEWNS)}},
		{text: "mmap(*, *, 7)", names: []string{"mmap"}, args: []specs.LinuxSeccompArg{{Index: 2, Op: specs.OpEqualTo, Value: 7}}},
		{text: "prctl(PR_SET_MM)", names: []string{"prctl"}, args: []specs.LinuxSeccompArg{masked(0, low, unix.PR_SET_MM)}},
		{text: "ioctl(*, TIOCSTI)", names: []string{"ioctl"}, args: []specs.LinuxSeccompArg{masked(1, low, unix.TIOCSTI)}},
		{text: "personality(PER_LINUX32)", names: []string{"personality"}, args: []specs.LinuxSeccompArg{masked(0, 0xff, 8)}},
	} {
		c, err := block.Parse(tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		names := slices.Sorted(slices.Values(c.Names))
		if !slices.Equal(names, tt.names) || !slices.Equal(c.Args, tt.args) {
			t.Errorf("%q: %q %+v, want %q %+v", tt.text, names, c.Args, tt.names, tt.args)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  `no system call is known as ""`,
		"*":                                 `no system call is known that "*" stands for; a pattern has a letter at least`,
		"sockets":                           `no system call is known as "sockets"; did you mean "socket"?`,
		"socket(AF_ALG":                     `"socket(AF_ALG" does not end with its ): write it as in 'socket(AF_ALG)'`,
		"socket(AF_ALG) x":                  `"socket(AF_ALG) x" does not end with its ): write it as in 'socket(AF_ALG)'`,
		"socket(AF_ALK)":                    `"socket(AF_ALK)": "AF_ALK" is no word for argument 0 of socket; did you mean "AF_ALG"?; write it as a number, or * for any`,
		"socket(AF_ALG|AF_INET)":            `"socket(AF_ALG|AF_INET)": "AF_ALG" is no flag, so nothing can be joined to it: write a CALL for each`,
		"socket(*, SOCK_STREAM|SOCK_DGRAM)": `"socket(*, SOCK_STREAM|SOCK_DGRAM)": "SOCK_DGRAM" stands in the same bits as another word of "SOCK_STREAM|SOCK_DGRAM", so nothing has both: write a CALL for each`,
		"clone(CLONE_INTO_CGROUP)":          `"clone(CLONE_INTO_CGROUP)": the kernel reads fewer bits of argument 0 of clone than CLONE_INTO_CGROUP is`,
		"socket(0x100000026)":               `"socket(0x100000026)": the kernel reads fewer bits of argument 0 than 0x100000026 has`,
		"socket()":                          `"socket()" has no arguments: leave the () out to block the whole call`,
		"socket(-1)":                        `"socket(-1)": -1 is written as the kernel reads it: as 0x and its bits`,
		"clone(0x10000000)":                 `"clone(0x10000000)": argument 0 of clone has flags, and with another flag beside 0x10000000 the call would pass: write it in words, such as CLONE_INTO_CGROUP`,
		"socket(*, 3)":                      `"socket(*, 3)": argument 1 of socket has flags, and with another flag beside 3 the call would pass: write it in words, such as SOCK_NONBLOCK`,
		"getpid(X)":                         `"getpid(X)": no words are known for argument 0 of getpid: write it as a number, or * for any`,
		"io_uring_*(1)":                     `"io_uring_*(1)" has arguments for several calls: write each by itself`,
		"mmap(*, *, *, *, *, *, *)":         `"mmap(*, *, *, *, *, *, *)" has 7 arguments, and a call has 6 at most`,
	} {
		if _, err := block.Parse(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func parse(t *testing.T, texts ...string) (out []block.Call) {
	t.Helper()
	for _, text := range texts {
		c, err := block.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// clone3 fails so that the C library calls clone; --errno holds for all.
func TestErrno(t *testing.T) {
	for _, tt := range []struct {
		errno unix.Errno
		want  []uint
	}{
		{want: []uint{uint(unix.EPERM), uint(unix.ENOSYS)}},
		{errno: unix.EACCES, want: []uint{uint(unix.EACCES), uint(unix.EACCES)}},
	} {
		b, err := block.New("", parse(t, "clone(CLONE_NEWUSER)", "clone3"), tt.errno)
		if err != nil {
			t.Fatal(err)
		}
		for i, rule := range b.Profile().Syscalls {
			if *rule.ErrnoRet != tt.want[i] {
				t.Errorf("%v: rule %d has errno %d, want %d", tt.errno, i, *rule.ErrnoRet, tt.want[i])
			}
		}
	}
}

// On i386 ipc takes the number of the call behind it from its low half: no version of ipc passes.
func TestVersionsOfIPC(t *testing.T) {
	b, err := block.New("", parse(t, "semop", "shmat"), 0)
	if err != nil {
		t.Fatal(err)
	}
	s := b.Profile()
	for _, call := range []uint64{1, 0x10001, 0xffff0001, 21, 0x10015} {
		demanded := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: b.Architectures, Syscalls: []specs.LinuxSyscall{{
			Names: []string{"ipc"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpEqualTo, Value: call}},
		}}}
		if w := looser(t, demanded, &s); w != nil {
			t.Errorf("ipc(%#x): %v", call, w)
		}
	}
	other := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: b.Architectures, Syscalls: []specs.LinuxSyscall{{
		Names: []string{"ipc"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpEqualTo, Value: 13}},
	}}}
	if looser(t, other, &s) == nil {
		t.Error("msgget is blocked, too")
	}
}

// Each drop-in is one, has what was asked for on its first line, and a name of a profile.
func TestText(t *testing.T) {
	for _, texts := range [][]string{{"bpf"}, {"socket(AF_ALG)", "io_uring_*"}, {"clone(CLONE_NEWUSER)", "unshare(CLONE_NEWUSER)", "clone3", "setns(*, CLONE_NEWUSER)"}} {
		b, err := block.New("", parse(t, texts...), 0)
		if err != nil {
			t.Fatal(err)
		}
		text, err := b.Text()
		if err != nil {
			t.Fatal(err)
		}
		p, findings := policy.ParseDropIn("/etc/batten/policy.d/x.yaml", text, nil)
		if len(findings) != 0 || len(p.Mandatory) != 1 || p.Mandatory[0].Name != b.Name {
			t.Errorf("%q: %v %+v", texts, findings, p)
		}
		if asked, ok := block.Asked(text); !ok || asked != "'"+strings.Join(texts, "' '")+"'" {
			t.Errorf("%q: asked %q", texts, asked)
		}
	}
	if _, err := block.New("No", parse(t, "bpf"), 0); err == nil || err.Error() != `"No" cannot be a block's name; use at most 63 lower-case letters, digits and -` {
		t.Errorf("got %v", err)
	}
}

// A name after many calls says that there are more, and a call counts once.
func TestName(t *testing.T) {
	b, err := block.New("", parse(t, "socket(AF_ALG)", "add_key", "keyctl", "request_key", "perf_event_open", "userfaultfd"), 0)
	if err != nil || b.Name != "block-socket-af-alg-add-key-keyctl-request-key-and-2-more" {
		t.Errorf("%q, %v", b.Name, err)
	}
	if b, err = block.New("", parse(t, "bpf", "bpf"), 0); err != nil || b.Name != "block-bpf" || len(b.Calls) != 1 {
		t.Errorf("%+v, %v", b, err)
	}
	if b, err = block.New("123", parse(t, "bpf"), 0); err != nil {
		t.Fatal(err)
	}
	text, err := b.Text()
	if err != nil {
		t.Fatal(err)
	}
	if _, findings := policy.ParseDropIn("x.yaml", text, nil); findings.Err() != nil {
		t.Errorf("a name of digits: %v", findings)
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"bpf", "socket(AF_ALG)", "io_uring_*", "clone(CLONE_NEWUSER|CLONE_NEWNS)", "ioctl(*, 0x5412)", "[", "a(((", "prctl(PR_SET_MM,,)"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := block.Parse(text)
		if err != nil {
			return
		}
		b, err := block.New("fuzzed", []block.Call{c}, 0)
		if err != nil {
			t.Fatal(err)
		}
		out, err := b.Text()
		if err != nil {
			t.Fatal(err)
		}
		if _, findings := policy.ParseDropIn("x.yaml", out, nil); findings.Err() != nil && !strings.Contains(findings.Error(), "cannot start a container") {
			t.Errorf("%q makes the drop-in\n%s\nwhich is none: %v", text, out, findings)
		}
	})
}
