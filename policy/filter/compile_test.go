package filter_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// denied is a profile with one rule.
func denied(rule specs.LinuxSyscall, flags ...specs.LinuxSeccompFlag) *specs.LinuxSeccomp {
	return &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Flags: flags, Syscalls: []specs.LinuxSyscall{rule}}
}

func TestCompileFlags(t *testing.T) {
	keyctl := specs.LinuxSyscall{Names: []string{"keyctl"}, Action: specs.ActErrno}
	none := denied(keyctl)
	none.Flags = []specs.LinuxSeccompFlag{}
	for _, tt := range []struct {
		name    string
		profile *specs.LinuxSeccomp
		want    uint
	}{
		{name: "no flags", profile: denied(keyctl), want: unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW},
		{name: "an empty list", profile: none},
		{
			name: "log", profile: denied(keyctl, specs.LinuxSeccompFlagLog),
			want: unix.SECCOMP_FILTER_FLAG_LOG,
		},
		{
			name:    "two",
			profile: denied(keyctl, specs.LinuxSeccompFlagSpecAllow, specs.LinuxSeccompFlagLog),
			want:    unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW | unix.SECCOMP_FILTER_FLAG_LOG,
		},
		{name: "TSYNC", profile: denied(keyctl, "SECCOMP_FILTER_FLAG_TSYNC")},
		{
			name: "a listener", profile: denied(specs.LinuxSyscall{Names: []string{"keyctl"}, Action: specs.ActNotify}, specs.LinuxSeccompFlagWaitKillableRecv),
			want: unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | unix.SECCOMP_FILTER_FLAG_NEW_LISTENER,
		},
	} {
		program, err := filter.Compile(tt.profile)
		if err != nil || program.Flags != tt.want {
			t.Errorf("%s: %+v (%v), want flags %#x", tt.name, program, err, tt.want)
		}
	}
}

// TestCompileRefuses: what runc refuses, by its own words where it has some.
func TestCompileRefuses(t *testing.T) {
	large := uint(70000)
	for _, tt := range []struct {
		name    string
		profile *specs.LinuxSeccomp
		want    string
	}{
		{
			name:    "a default that notifies",
			profile: &specs.LinuxSeccomp{DefaultAction: specs.ActNotify},
			want:    "defaultAction is SCMP_ACT_NOTIFY; runc refuses that",
		},
		{
			name:    "an arch",
			profile: &specs.LinuxSeccomp{DefaultAction: specs.ActLog, Architectures: []specs.Arch{"SCMP_ARCH_PDP11"}},
			want:    `architecture "SCMP_ARCH_PDP11": runc does not know it`,
		},
		{
			name:    "a flag",
			profile: denied(specs.LinuxSyscall{Names: []string{"keyctl"}, Action: specs.ActErrno}, "X"),
			want:    `flag "X": runc does not know it`,
		},
		{
			name:    "no name",
			profile: denied(specs.LinuxSyscall{Names: []string{""}, Action: specs.ActErrno}),
			want:    "syscalls[0]: an empty name",
		},
		{
			name:    "write that notifies",
			profile: denied(specs.LinuxSyscall{Names: []string{"keyctl", "write"}, Action: specs.ActNotify}),
			want:    "syscalls[0]: SCMP_ACT_NOTIFY on write; runc refuses that",
		},
	} {
		if _, err := filter.Compile(tt.profile); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	// The controls: another call may notify, write may be denied.
	for _, rule := range []specs.LinuxSyscall{{Names: []string{"read"}, Action: specs.ActNotify}, {Names: []string{"write"}, Action: specs.ActErrno}} {
		if _, err := filter.Compile(denied(rule)); err != nil {
			t.Error(err)
		}
	}
	if _, err := filter.Compile(denied(specs.LinuxSyscall{Names: []string{"keyctl"}, Action: specs.ActErrno, ErrnoRet: &large})); err == nil {
		t.Error("an errno of more than 16 bits is taken")
	}
}

// Where the jumps go is counted from the next instruction on.
func TestDisassembleJumps(t *testing.T) {
	program := &filter.Program{Instructions: []unix.SockFilter{
		{Code: 0x20, K: 4},
		{Code: 0x15, K: 0xc000003e, Jt: 1, Jf: 3},
		{Code: 0x06, K: 0x80000000},
		{Code: 0x20, K: 0},
		{Code: 0x05, K: 1},
		{Code: 0x06, K: 0x7fff0000},
		{Code: 0x25, K: 5, Jt: 0, Jf: 1},
		{Code: 0x06, K: 0x00050026},
		{Code: 0x06, K: 0x7fff0000},
	}}
	want := []string{
		"   0: load arch",
		"   1: if == 0xc000003e then 3 else 5  ; amd64",
		"   2: return KILL_PROCESS",
		"   3: load syscall number",
		"   4: go to 6",
		"   5: return ALLOW",
		"   6: if > 0x5 then 7 else 8  ; fstat",
		"   7: return ERRNO(ENOSYS)",
		"   8: return ALLOW",
	}
	if got := program.Disassemble(); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
