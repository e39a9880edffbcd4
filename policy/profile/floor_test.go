package profile_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Ways to fool a merge, each beside a control.
func TestFloorIsNotFooled(t *testing.T) {
	const (
		archs   = `"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], `
		allow   = `"defaultAction": "SCMP_ACT_ALLOW"`
		log     = `"defaultAction": "SCMP_ACT_LOG"`
		no      = `"syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]`
		alsoBpf = `"syscalls": [{"names": ["keyctl", "bpf"], "action": "SCMP_ACT_ERRNO"}]`
	)
	for _, tt := range []struct {
		name, floor, profile string
		// want is the result; "same" where it is the profile itself.
		want, err string
	}{
		{"nothing to add", `{` + allow + `, ` + no + `}`, `{` + allow + `, ` + alsoBpf + `}`, "same", ""},
		{"a rule to add", `{` + allow + `, ` + no + `}`, `{` + log + `}`, `{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, ""},
		{"SPEC_ALLOW by no flags", `{` + allow + `, "flags": [], ` + no + `}`, `{` + allow + `, ` + no + `}`, `{"defaultAction":"SCMP_ACT_ALLOW","flags":[],"syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, ""},
		{"SPEC_ALLOW by name", `{` + allow + `, "flags": ["SECCOMP_FILTER_FLAG_LOG"], ` + no + `}`, `{` + allow + `, "flags": ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"], ` + no + `}`, `{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_LOG"],"syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, ""},
		{"SPEC_ALLOW that both have", `{` + allow + `, ` + no + `}`, `{` + allow + `, "flags": ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"], ` + no + `}`, "same", ""},
		{"LOG of the floor, SPEC_ALLOW that both have", `{` + allow + `, "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"], ` + no + `}`, `{` + allow + `, ` + no + `}`, `{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_SPEC_ALLOW","SECCOMP_FILTER_FLAG_LOG"],"syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, ""},
		{"LOG of the floor, SPEC_ALLOW of the floor's alone", `{` + allow + `, "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"], ` + no + `}`, `{` + allow + `, "flags": [], ` + no + `}`, `{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_LOG"],"syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, ""},
		{"no SPEC_ALLOW of its own", `{` + allow + `, ` + no + `}`, `{` + allow + `, "flags": [], ` + no + `}`, "same", ""},
		{
			"a listener for what the floor denies", `{` + allow + `, ` + no + `}`,
			`{` + allow + `, "listenerPath": "/run/a", "listenerMetadata": "m", "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_NOTIFY"}]}`,
			`{"defaultAction":"SCMP_ACT_ALLOW","flags":[],"syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, "",
		},
		{
			"a listener for something else", `{` + allow + `, ` + no + `}`,
			`{` + allow + `, "listenerPath": "/run/a", "syscalls": [{"names": ["keyctl", "mount"], "action": "SCMP_ACT_NOTIFY"}]}`,
			`{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/run/a","syscalls":[{"names":["mount"],"action":"SCMP_ACT_NOTIFY"},{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, "",
		},
		{
			"the floor's notifications would reach the container's listener", `{` + allow + `, "listenerPath": "/run/node", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]}`,
			`{` + allow + `, "listenerPath": "/run/pod", "syscalls": [{"names": ["bpf"], "action": "SCMP_ACT_NOTIFY"}]}`,
			`{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/run/pod","syscalls":[{"names":["bpf"],"action":"SCMP_ACT_NOTIFY"},{"names":["mount"],"action":"SCMP_ACT_ERRNO","errnoRet":38}]}`, "",
		},
		{
			"NOTIFY with no listener", `{` + allow + `, ` + no + `}`, `{` + allow + `, "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]}`, "",
			"the profile: a rule has SCMP_ACT_NOTIFY but listenerPath is missing; runc refuses that",
		},
		{
			"an arch that only the profile lists", `{` + allow + `, ` + no + `}`, `{` + allow + `, ` + archs + no + `}`,
			`{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, "",
		},
		{"an arch that only the floor lists", `{` + allow + `, ` + archs + no + `}`, `{` + allow + `, ` + no + `}`, "same", ""},
		{
			"a call that i386 multiplexes", `{` + allow + `, ` + archs + `"syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ERRNO"}]}`, `{` + allow + `, ` + archs + `"syscalls": [{"names": ["socketcall"], "action": "SCMP_ACT_LOG"}]}`,
			`{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[` +
				`{"names":["socketcall"],"action":"SCMP_ACT_LOG","args":[{"index":0,"value":1,"op":"SCMP_CMP_NE"}]},` +
				`{"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, "",
		},
		{
			"a name that x86_64 lacks", `{` + allow + `, ` + archs + `"syscalls": [{"names": ["umount"], "action": "SCMP_ACT_ERRNO"}]}`, `{` + allow + `, ` + archs + no + `}`,
			`{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[{"names":["keyctl","umount"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, "",
		},
		{"a name that nothing knows", `{` + allow + `, ` + no + `}`, `{` + allow + `, "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}, {"names": ["nosuchcall"], "action": "SCMP_ACT_ERRNO"}]}`, "same", ""},
		{
			"two conditions on one argument", `{` + allow + `, ` + no + `}`, `{` + allow + `, "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_KILL_PROCESS", "args": [{"index": 0, "value": 5, "op": "SCMP_CMP_GE"}, {"index": 0, "value": 9, "op": "SCMP_CMP_LE"}]}]}`,
			`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_KILL_PROCESS"}]}`, "",
		},
		{"a mask of zero", `{` + allow + `, ` + no + `}`, `{` + allow + `, "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_KILL_PROCESS", "args": [{"index": 0, "value": 0, "valueTwo": 7, "op": "SCMP_CMP_MASKED_EQ"}]}]}`, "same", ""},
		{"an errno above 4095", `{` + allow + `, ` + no + `}`, `{` + allow + `, "syscalls": [{"names": ["keyctl", "bpf"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5000}]}`, "same", ""},
		{"an action that runc does not know", `{` + allow + `, ` + no + `}`, `{"defaultAction": "SCMP_ACT_MAYBE"}`, "", `the profile: defaultAction "SCMP_ACT_MAYBE" is none that runc takes`},
		{"an argument that does not exist", `{` + allow + `, ` + no + `}`, `{` + allow + `, "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "op": "SCMP_CMP_EQ"}]}]}`, "", "the profile: syscalls[0]: argument 6 does not exist; a syscall has arguments 0 to 5"},
		{
			"more rules than may be", `{` + allow + `, "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}, {"index": 1, "value": 1, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}, {"index": 2, "value": 77777, "op": "SCMP_CMP_GT"}]}]}`,
			`{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13, "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 99999, "op": "SCMP_CMP_LE"}, {"index": 1, "value": 99999, "op": "SCMP_CMP_GT"}, {"index": 3, "value": 12345, "op": "SCMP_CMP_GT"}]}]}`,
			"", "the conditions on keyctl are too many to be met with the floor's; give it fewer",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			floor, err := profile.Decode([]byte(tt.floor))
			if err != nil {
				t.Fatal(err)
			}
			own, err := profile.Decode([]byte(tt.profile))
			if err != nil {
				t.Fatal(err)
			}
			out, _, err := profile.Floor(*floor, *own, profile.Limits{})
			if got := errorText(err); got != tt.err {
				t.Fatalf("error %q, want %q", got, tt.err)
			}
			if tt.err != "" {
				return
			}
			want := tt.want
			if want == "same" {
				want = string(profile.Encode(*own))
			}
			if got := string(profile.Encode(out.Seccomp)); got != want || out.Unchanged != (tt.want == "same") {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			again, _, err := profile.Floor(*floor, out.Seccomp, profile.Limits{})
			if err != nil || !again.Unchanged {
				t.Errorf("a second time it is %s (%v)", profile.Encode(again.Seccomp), err)
			}
		})
	}
}

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
	if _, _, err := profile.Floor(d, wide, profile.Limits{}); err != nil {
		t.Error(err)
	}
	_, _, err := profile.Floor(d, wide, profile.Limits{Rules: 10})
	if err == nil || !strings.Contains(err.Error(), "rules, more than 10; most are for ") {
		t.Error(err)
	}
	_, _, err = profile.Floor(d, wide, profile.Limits{Instructions: 100})
	if err == nil || !strings.Contains(err.Error(), "instructions, more than the 100 that the kernel takes; most are for ") {
		t.Error(err)
	}
}

func BenchmarkFloorOfDefaults(b *testing.B) {
	d := profile.RuntimeDefault(nil)
	wide := profile.RuntimeDefault([]string{"CAP_SYS_ADMIN"})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := profile.Floor(d, wide, profile.Limits{}); err != nil {
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
	floor := specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32},
		Syscalls: []specs.LinuxSyscall{
			{Names: names, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Index: 0, Value: 7, Op: specs.OpEqualTo}}},
			{Names: []string{"umount"}, Action: specs.ActErrno},
		},
	}
	own := specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Architectures: floor.Architectures}
	out, notes, err := profile.Floor(floor, own, profile.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(out.Seccomp.Architectures, specs.ArchX32) || !slices.Contains(out.Seccomp.Architectures, specs.ArchX86) {
		t.Errorf("architectures %v, notes %q", out.Seccomp.Architectures, notes)
	}
}
