package recording_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// container returns a recording of one container that made calls, written as
// "arch name index=value index=value".
func container(t *testing.T, program string, calls ...string) *recording.Recording {
	t.Helper()
	c := recording.Container{Start: true, Ended: true}
	for _, line := range calls {
		fields := strings.Fields(line)
		call := recording.Call{Arch: specs.Arch("SCMP_ARCH_" + strings.ToUpper(fields[0])), Name: fields[1], First: recording.First{Program: program}}
		call.Nr, _ = syscalls.Number(call.Arch, call.Name)
		for _, text := range fields[2:] {
			a := recording.Argument{First: call.First}
			if _, err := fmt.Sscanf(text, "%d=%v", &a.Index, &a.Value); err != nil {
				t.Fatal(text, err)
			}
			call.Arguments = append(call.Arguments, a)
		}
		c.Calls = append(c.Calls, call)
	}
	return &recording.Recording{Batten: recording.Version, Machine: "x86_64", Containers: []recording.Container{c}}
}

// rules are those of a profile, but for what every profile has, one a line.
func rules(s specs.LinuxSeccomp, without ...string) string {
	var out []string
	for _, r := range s.Syscalls {
		var names []string
		for _, name := range r.Names {
			if !contains(without, name) {
				names = append(names, name)
			}
		}
		if len(names) == 0 || r.Action != specs.ActAllow {
			continue
		}
		line := strings.Join(names, " ")
		for _, a := range r.Args {
			line += fmt.Sprintf(" %d", a.Index)
			if a.Op == specs.OpMaskedEqual {
				line += fmt.Sprintf("&%#x", a.Value)
				a.Value = a.ValueTwo
			}
			line += fmt.Sprintf("=%#x", a.Value)
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func contains(list []string, name string) bool {
	return strings.Contains(" "+strings.Join(list, " ")+" ", " "+name+" ")
}

var everywhere = append(strings.Fields("exit exit_group restart_syscall rt_sigreturn sigreturn clock_nanosleep futex nanosleep pause rt_sigsuspend rt_sigtimedwait sched_yield"),
	profile.AtStart(true)...)

// ruled returns rules without the one on clone that every profile has for the runtime, if it is not
// asked for.
func ruled(got, want string) string {
	if strings.Contains(want, "clone") {
		return got
	}
	const own = "clone 0&0x7e020000=0x0"
	return strings.TrimPrefix(strings.TrimSuffix(strings.ReplaceAll(got, "\n"+own+"\n", "\n"), "\n"+own), own+"\n")
}

func TestProfile(t *testing.T) {
	yes, no := true, false
	many := "x86_64 socket"
	for i := range 65 {
		many += fmt.Sprintf(" 0=%d", i)
	}
	for _, tt := range []struct {
		name  string
		calls []string
		other []string // of a second container
		no    bool     // without noNewPrivileges
		rules string
		notes []string
	}{
		{name: "plain calls", calls: []string{"x86_64 lseek", "x86_64 brk"}, other: []string{"x86_64 mremap"}, rules: "brk lseek mremap"},
		{name: "families of sockets", calls: []string{"x86_64 socket 0=2 0=1"}, other: []string{"x86_64 socket 0=10"}, rules: "socket 0=0x1\nsocket 0=0x2\nsocket 0=0xa"},
		{
			name: "unknown families", calls: []string{"x86_64 socket 0=2"}, other: []string{"x86_64 socket"}, rules: "socket",
			notes: []string{"the arguments of socket were not recorded: it is allowed whatever they are"},
		},
		{
			name: "more values than rules", calls: []string{many}, rules: "socket",
			notes: []string{"socket was made with more than 64 values: it is allowed whatever its arguments"},
		},
		{
			name: "prctl where the runtime needs it", calls: []string{"x86_64 prctl 0=38"}, no: true,
			rules: "capget chdir faccessat2 getcwd getppid newfstatat pselect6 setgid setuid",
			notes: []string{"prctl is allowed whatever its arguments, since runtimes make it when they start a container"},
		},
		{name: "clone of processes and threads", calls: []string{"x86_64 clone 0=17 0=4001536"}, rules: "clone 0&0x7e020000=0x0"},
		{name: "clone of namespaces", calls: []string{"x86_64 clone 0=0x10000011"}, rules: "clone 0&0x6e020000=0x0"},
		{name: "clone of all namespaces", calls: []string{"x86_64 clone 0=0x7e020011"}, rules: "clone"},
		{
			name: "clone3", calls: []string{"x86_64 clone3 0=0x20000000"}, rules: "clone 0&0x5e020000=0x0",
			notes: []string{"clone3 was recorded and fails with ENOSYS under the profile, since no filter sees its flags: the C library then takes clone, and other programs may not"},
		},
		{
			name: "clone3 of a time namespace, and one unknown", calls: []string{"x86_64 clone3 0=128"}, other: []string{"x86_64 clone3"}, rules: "clone 0&0x7e020000=0x0",
			notes: []string{
				"the flags of clone3 were not recorded: clone is not allowed to make namespaces for it",
				"clone3 was recorded and fails with ENOSYS under the profile, since no filter sees its flags: the C library then takes clone, and other programs may not",
				"clone3 made a time namespace, which clone cannot: the profile does not allow it",
			},
		},
		{
			name: "two arguments", calls: []string{"x86_64 setsockopt 1=1 1=6 2=2"}, rules: "setsockopt 1=0x1 2=0x2\nsetsockopt 1=0x6 2=0x2",
			notes: []string{"setsockopt is allowed with every combination of the values of its arguments 1 2, since these were recorded each by itself"},
		},
		{name: "an argument that one container lacks", calls: []string{"x86_64 ioctl 0=1 1=0x5401"}, other: []string{"x86_64 ioctl 1=0x5413"}, rules: "ioctl 1=0x5401\nioctl 1=0x5413"},
		{name: "a negative int", calls: []string{"x86_64 ioctl 1=0x80045430", "x86_64 personality 0=0xffffffff"}, rules: "ioctl 1=0x80045430\nioctl 1=0xffffffff80045430\npersonality 0=0xffffffff"},
		{name: "behind socketcall and ipc", calls: []string{"x86 socketcall 0=3", "x86 ipc 0=21 0=1"}, rules: "connect semop shmat"},
		{name: "ipc with a version", calls: []string{"x86 ipc 0=65557"}, rules: "ipc 0=0x10015"},
		{name: "socketcall of unknown calls", calls: []string{"x86 socketcall"}, rules: "socketcall"},
		{
			name: "socket by itself and behind socketcall", calls: []string{"x86_64 socket 0=1", "x86 socketcall 0=1 0=3"}, rules: "connect\nsocket 0=0x1\nsocketcall 0=0x1",
			notes: []string{"32-bit programs can make socket through socketcall or ipc whatever the arguments, which no filter sees there"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			recordings := []*recording.Recording{container(t, "a", tt.calls...)}
			if tt.other != nil {
				recordings = append(recordings, container(t, "b", tt.other...))
			}
			o := recording.Options{NoNewPrivileges: &yes}
			if tt.no {
				o.NoNewPrivileges = &no
			}
			made, err := recording.Profile(recordings, o)
			if err != nil {
				t.Fatal(err)
			}
			if got := ruled(rules(made.Seccomp, everywhere...), tt.rules); got != tt.rules {
				t.Errorf("rules\n%s\nwant\n%s", got, tt.rules)
			}
			if got, want := strings.Join(made.Notes, "\n"), strings.Join(tt.notes, "\n"); got != want {
				t.Errorf("notes\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// What the recordings lack is said.
func TestProfileNotes(t *testing.T) {
	r := container(t, "a", "x86_64 lseek", "x86_64 futex_waitv")
	r.Lost = recording.Lost{Containers: 1, Processes: 2, Arguments: 3, Calls: 4}
	c := &r.Containers[0]
	c.Start, c.Filtered = false, true
	c.Calls = append(c.Calls, recording.Call{Arch: specs.ArchX86_64, Nr: 999, First: recording.First{Program: "new"}})
	c.Denied = []recording.Denied{
		{Arch: specs.ArchX86_64, Name: "bpf", Program: "tool"}, {Arch: specs.ArchX86_64, Name: "mount", Ran: true, Program: "tool"},
	}
	made, err := recording.Profile([]*recording.Recording{r}, recording.Options{Runtime: syscalls.RuntimeOfVersion("/usr/bin/runc", "2.5.1")})
	if err != nil {
		t.Fatal(err)
	}
	want := `/usr/bin/runc with libseccomp 2.5.1 does not know futex_waitv, so that no profile can allow it there
calls that have no name are not in the profile: number 999 of SCMP_ARCH_X86_64, by new
the recording is not whole, and the profile may deny what it lacks: containers that were not recorded: 1
the recording is not whole, and the profile may deny what it lacks: processes that were not followed: 2
the recording is not whole, and the profile may deny what it lacks: arguments that were not kept: 3
the recording is not whole, and the profile may deny what it lacks: calls whose number no table has: 4
1 of 1 containers ran before they were recorded: what they did until then is not in the profile
1 of 1 containers ran under a filter: what they do without it may be more
a filter denied calls, which so were not made: bpf by tool`
	if got := strings.Join(made.Notes, "\n"); got != want {
		t.Errorf("notes\n%s\nwant\n%s", got, want)
	}
	if _, known := made.By["bpf"]; known || strings.Join(made.Skipped, " ") != "futex_waitv" {
		t.Errorf("bpf is there: %v; skipped %q", known, made.Skipped)
	}
}

// Who made a call first is who made it earliest, whichever recording comes first.
func TestProfileBy(t *testing.T) {
	late, early := container(t, "late", "x86_64 lseek"), container(t, "early", "x86_64 lseek", "x86_64 getdents64")
	late.Containers[0].From = early.Containers[0].From.Add(5)
	made, err := recording.Profile([]*recording.Recording{late, early}, recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"lseek": "early first, 2 of 2 containers", "getdents64": "early first, 1 of 2 containers", "openat": "runtimes make it when they start a container",
	} {
		if got := made.By[name].String(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestProfileErrors(t *testing.T) {
	arm, none := container(t, "a", "x86_64 lseek"), container(t, "a")
	arm.Machine = "aarch64"
	unknown := container(t, "a", "x86_64 lseek")
	unknown.Machine = "sparc"
	for want, recordings := range map[string][]*recording.Recording{
		"there is no recording to make a profile of":                                                               nil,
		"the recordings have no calls to make a profile of":                                                        {none},
		"the recordings are of different machines, x86_64 and aarch64; make a profile for each":                    {none, arm},
		`no profile can be made of a recording of a machine "sparc"; Batten knows the calls of x86_64 and aarch64`: {unknown},
	} {
		if _, err := recording.Profile(recordings, recording.Options{}); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// A fleet's recordings are no more work than one container's.
func TestProfileOfMany(t *testing.T) {
	families := "x86_64 socket"
	for i := range 40 {
		families += fmt.Sprintf(" 0=%d", i)
	}
	r := container(t, "a", families, "x86_64 clone 0=17", "x86_64 prctl 0=38", "x86_64 lseek")
	for range 3000 {
		r.Containers = append(r.Containers, r.Containers[0])
	}
	made, err := recording.Profile([]*recording.Recording{r}, recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := made.By["lseek"].String(); got != "a first, 3001 of 3001 containers" {
		t.Error(got)
	}
}
