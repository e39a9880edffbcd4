package floor_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// The two ways to bound a result.
func TestFloorLimits(t *testing.T) {
	d := profile.RuntimeDefault(nil)
	wide := profile.RuntimeDefault([]string{"CAP_SYS_ADMIN"})
	if _, _, err := floor.Floor(d, wide, floor.Limits{}); err != nil {
		t.Error(err)
	}
	_, _, err := floor.Floor(d, wide, floor.Limits{Rules: 10})
	if err == nil || !strings.Contains(err.Error(), "rules, more than 10; most are for ") {
		t.Error(err)
	}
	_, _, err = floor.Floor(d, wide, floor.Limits{Instructions: 100})
	if err == nil || !strings.Contains(err.Error(), "instructions, more than the 100 that the kernel takes; most are for ") {
		t.Error(err)
	}
}

func BenchmarkFloorOfDefaults(b *testing.B) {
	d := profile.RuntimeDefault(nil)
	wide := profile.RuntimeDefault([]string{"CAP_SYS_ADMIN"})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := floor.Floor(d, wide, floor.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
}

// A floor of many rules is none less for a runtime that asks libseccomp for no binary
// tree, as crun: were x32 listed, the rule on umount, which x86_64 lacks, would be put
// first there, and no rule would match.
func TestFloorWithoutTree(t *testing.T) {
	names := []string{
		"keyctl", "bpf", "add_key", "mount", "umount2", "ptrace", "acct", "swapon", "swapoff", "reboot", "kexec_load",
		"quotactl", "personality", "setns", "unshare", "clone", "chroot", "pivot_root", "syslog", "init_module", "delete_module",
		"iopl", "ioperm", "userfaultfd", "perf_event_open", "open_by_handle_at", "name_to_handle_at", "fanotify_init",
		"process_vm_readv", "process_vm_writev", "kcmp", "finit_module", "bind", "connect",
	}
	under := specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32},
		Syscalls: []specs.LinuxSyscall{
			{Names: names, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Index: 0, Value: 7, Op: specs.OpEqualTo}}},
			{Names: []string{"umount"}, Action: specs.ActErrno},
		},
	}
	own := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: under.Architectures}
	out, notes, err := floor.Floor(under, own, floor.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(out.Seccomp.Architectures, specs.ArchX32) || !slices.Contains(out.Seccomp.Architectures, specs.ArchX86) {
		t.Errorf("architectures %v, notes %q", out.Seccomp.Architectures, notes)
	}
}

// A floor that does not list x32 kills numbers of no call, to which runc's stub answers ENOSYS. What
// is made of RuntimeDefault under it is proved all the same.
func TestFloorWithoutX32(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("x32 is amd64's")
	}
	under := specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86},
		Syscalls: []specs.LinuxSyscall{{Names: []string{"chroot"}, Action: specs.ActErrno}},
	}
	met, _, err := floor.Floor(under, profile.RuntimeDefault(nil), floor.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := filter.Compile(&under)
	if err != nil {
		t.Fatal(err)
	}
	second, err := filter.Compile(&met.Seccomp)
	if err != nil {
		t.Fatal(err)
	}
	if w, err := filter.Subsumes(filter.Stack{first}, filter.Stack{second}); w != nil || err != nil {
		t.Errorf("looser: %v, %v", w, err)
	}
	if w, err := filter.Subsumes(filter.Stack{second}, filter.Stack{first}); w == nil || err != nil {
		t.Errorf("the floor alone is as strict: %v", err)
	}
}
