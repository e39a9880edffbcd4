package floor_test

import (
	"testing"

	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/profile"
)

const (
	twoArches   = `"architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], `
	elseAllow   = `"defaultAction": "SCMP_ACT_ALLOW"`
	elseLog     = `"defaultAction": "SCMP_ACT_LOG"`
	noKeys      = `"syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]`
	noKeysNoBPF = `"syscalls": [{"names": ["keyctl", "bpf"], "action": "SCMP_ACT_ERRNO"}]`
)

// foolingCases are pairs of a floor and a profile that look alike.
var foolingCases = []struct {
	name, floor, profile string
	// want is the result; "same" where it is the profile itself.
	want, err string
}{
	{
		name: "nothing to add", floor: `{` + elseAllow + `, ` + noKeys + `}`,
		profile: `{` + elseAllow + `, ` + noKeysNoBPF + `}`, want: "same",
	},
	{
		name: "a rule to add", floor: `{` + elseAllow + `, ` + noKeys + `}`, profile: `{` + elseLog + `}`,
		want: `{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`,
	},
	{
		name: "SPEC_ALLOW by no flags", floor: `{` + elseAllow + `, "flags": [], ` + noKeys + `}`,
		profile: `{` + elseAllow + `, ` + noKeys + `}`,
		want:    `{"defaultAction":"SCMP_ACT_ALLOW","flags":[],"syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`,
	},
	{
		name:    "SPEC_ALLOW by name",
		floor:   `{` + elseAllow + `, "flags": ["SECCOMP_FILTER_FLAG_LOG"], ` + noKeys + `}`,
		profile: `{` + elseAllow + `, "flags": ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"], ` + noKeys + `}`,
		want:    `{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_LOG"],"syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`,
	},
	{
		name: "SPEC_ALLOW that both have", floor: `{` + elseAllow + `, ` + noKeys + `}`,
		profile: `{` + elseAllow + `, "flags": ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"], ` + noKeys + `}`,
		want:    "same",
	},
	{
		name:    "LOG of the floor, SPEC_ALLOW that both have",
		floor:   `{` + elseAllow + `, "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"], ` + noKeys + `}`,
		profile: `{` + elseAllow + `, ` + noKeys + `}`,
		want:    `{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_SPEC_ALLOW","SECCOMP_FILTER_FLAG_LOG"],"syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`,
	},
	{
		name:    "LOG of the floor, SPEC_ALLOW of the floor's alone",
		floor:   `{` + elseAllow + `, "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"], ` + noKeys + `}`,
		profile: `{` + elseAllow + `, "flags": [], ` + noKeys + `}`,
		want:    `{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_LOG"],"syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`,
	},
	{
		name: "no SPEC_ALLOW of its own", floor: `{` + elseAllow + `, ` + noKeys + `}`,
		profile: `{` + elseAllow + `, "flags": [], ` + noKeys + `}`, want: "same",
	},
	{
		name: "a listener for what the floor denies", floor: `{` + elseAllow + `, ` + noKeys + `}`,
		profile: `{` + elseAllow + `, "listenerPath": "/run/a", "listenerMetadata": "m", "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_NOTIFY"}]}`,
		want:    `{"defaultAction":"SCMP_ACT_ALLOW","flags":[],"syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, err: "",
	},
	{
		name: "a listener for something else", floor: `{` + elseAllow + `, ` + noKeys + `}`,
		profile: `{` + elseAllow + `, "listenerPath": "/run/a", "syscalls": [{"names": ["keyctl", "mount"], "action": "SCMP_ACT_NOTIFY"}]}`,
		want:    `{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/run/a","syscalls":[{"names":["mount"],"action":"SCMP_ACT_NOTIFY"},{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, err: "",
	},
	{
		name: "the floor's notifications would reach the container's listener", floor: `{` + elseAllow + `, "listenerPath": "/run/node", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]}`,
		profile: `{` + elseAllow + `, "listenerPath": "/run/pod", "syscalls": [{"names": ["bpf"], "action": "SCMP_ACT_NOTIFY"}]}`,
		want:    `{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/run/pod","syscalls":[{"names":["bpf"],"action":"SCMP_ACT_NOTIFY"},{"names":["mount"],"action":"SCMP_ACT_ERRNO","errnoRet":38}]}`, err: "",
	},
	{
		name: "both notify, of another listener", floor: `{` + elseAllow + `, "listenerPath": "/run/node", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]}`,
		profile: `{` + elseAllow + `, "listenerPath": "/run/pod", "syscalls": [{"names": ["bpf", "mount"], "action": "SCMP_ACT_NOTIFY"}]}`,
		want:    `{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/run/pod","syscalls":[{"names":["bpf"],"action":"SCMP_ACT_NOTIFY"},{"names":["mount"],"action":"SCMP_ACT_ERRNO","errnoRet":38}]}`, err: "",
	},
	{
		name: "both notify, of one listener", floor: `{` + elseAllow + `, "listenerPath": "/run/node", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]}`,
		profile: `{` + elseAllow + `, "listenerPath": "/run/node", "syscalls": [{"names": ["bpf", "mount"], "action": "SCMP_ACT_NOTIFY"}]}`, want: "same", err: "",
	},
	{
		name: "both notify, with other metadata", floor: `{` + elseAllow + `, "listenerPath": "/run/node", "listenerMetadata": "strict", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]}`,
		profile: `{` + elseAllow + `, "listenerPath": "/run/node", "listenerMetadata": "lax", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]}`,
		want:    `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mount"],"action":"SCMP_ACT_ERRNO","errnoRet":38}]}`, err: "",
	},
	{
		name: "both notify of some arguments", floor: `{` + elseAllow + `, "listenerPath": "/run/node", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}]}`,
		profile: `{` + elseAllow + `, "listenerPath": "/run/pod", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]}`,
		want:    `{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/run/pod","syscalls":[{"names":["mount"],"action":"SCMP_ACT_ERRNO","errnoRet":38,"args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]},{"names":["mount"],"action":"SCMP_ACT_NOTIFY","args":[{"index":0,"value":1,"op":"SCMP_CMP_NE"}]}]}`, err: "",
	},
	{
		name: "NOTIFY with no listener", floor: `{` + elseAllow + `, ` + noKeys + `}`, profile: `{` + elseAllow + `, "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]}`, want: "",
		err: "the profile: a rule has SCMP_ACT_NOTIFY but listenerPath is missing; runc refuses that",
	},
	{
		name: "an arch that only the profile lists", floor: `{` + elseAllow + `, ` + noKeys + `}`, profile: `{` + elseAllow + `, ` + twoArches + noKeys + `}`,
		want: `{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],"syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, err: "",
	},
	{
		name: "an arch that only the floor lists", floor: `{` + elseAllow + `, ` + twoArches + noKeys + `}`,
		profile: `{` + elseAllow + `, ` + noKeys + `}`, want: "same",
	},
	{
		name: "a call that i386 multiplexes", floor: `{` + elseAllow + `, ` + twoArches + `"syscalls": [{"names": ["socket"], "action": "SCMP_ACT_ERRNO"}]}`, profile: `{` + elseAllow + `, ` + twoArches + `"syscalls": [{"names": ["socketcall"], "action": "SCMP_ACT_LOG"}]}`,
		want: `{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[` +
			`{"names":["socketcall"],"action":"SCMP_ACT_LOG","args":[{"index":0,"value":1,"op":"SCMP_CMP_NE"}]},` +
			`{"names":["socket"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, err: "",
	},
	{
		name: "a name that x86_64 lacks", floor: `{` + elseAllow + `, ` + twoArches + `"syscalls": [{"names": ["umount"], "action": "SCMP_ACT_ERRNO"}]}`, profile: `{` + elseAllow + `, ` + twoArches + noKeys + `}`,
		want: `{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"],"syscalls":[{"names":["keyctl","umount"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}`, err: "",
	},
	{
		name: "a name that nothing knows", floor: `{` + elseAllow + `, ` + noKeys + `}`,
		profile: `{` + elseAllow + `, "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}, {"names": ["nosuchcall"], "action": "SCMP_ACT_ERRNO"}]}`,
		want:    "same",
	},
	{
		name: "two conditions on one argument", floor: `{` + elseAllow + `, ` + noKeys + `}`, profile: `{` + elseAllow + `, "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_KILL_PROCESS", "args": [{"index": 0, "value": 5, "op": "SCMP_CMP_GE"}, {"index": 0, "value": 9, "op": "SCMP_CMP_LE"}]}]}`,
		want: `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["keyctl"],"action":"SCMP_ACT_KILL_PROCESS"}]}`, err: "",
	},
	{
		name: "a mask of zero", floor: `{` + elseAllow + `, ` + noKeys + `}`,
		profile: `{` + elseAllow + `, "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_KILL_PROCESS", "args": [{"index": 0, "value": 0, "valueTwo": 7, "op": "SCMP_CMP_MASKED_EQ"}]}]}`,
		want:    "same",
	},
	{
		name: "an errno above 4095", floor: `{` + elseAllow + `, ` + noKeys + `}`,
		profile: `{` + elseAllow + `, "syscalls": [{"names": ["keyctl", "bpf"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5000}]}`,
		want:    "same",
	},
	{
		name: "an action that runc does not know", floor: `{` + elseAllow + `, ` + noKeys + `}`,
		profile: `{"defaultAction": "SCMP_ACT_MAYBE"}`,
		err:     `the profile: defaultAction "SCMP_ACT_MAYBE" is none that runc takes`,
	},
	{
		name: "an argument that does not exist", floor: `{` + elseAllow + `, ` + noKeys + `}`,
		profile: `{` + elseAllow + `, "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "op": "SCMP_CMP_EQ"}]}]}`,
		err:     "the profile: syscalls[0]: argument 6 does not exist; a syscall has arguments 0 to 5",
	},
	{
		name: "more rules than may be", floor: `{` + elseAllow + `, "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}, {"index": 1, "value": 1, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}, {"index": 2, "value": 77777, "op": "SCMP_CMP_GT"}]}]}`,
		profile: `{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13, "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 99999, "op": "SCMP_CMP_LE"}, {"index": 1, "value": 99999, "op": "SCMP_CMP_GT"}, {"index": 3, "value": 12345, "op": "SCMP_CMP_GT"}]}]}`,
		want:    "", err: "the conditions on keyctl are too many to be met with the floor's; give it fewer",
	},
}

// Ways to fool a merge, each beside a control.
func TestFloorIsNotFooled(t *testing.T) {
	for _, tt := range foolingCases {
		t.Run(tt.name, func(t *testing.T) {
			under, err := profile.Decode([]byte(tt.floor))
			if err != nil {
				t.Fatal(err)
			}
			own, err := profile.Decode([]byte(tt.profile))
			if err != nil {
				t.Fatal(err)
			}
			out, _, err := floor.Floor(*under, *own, floor.Limits{})
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
			again, _, err := floor.Floor(*under, out.Seccomp, floor.Limits{})
			if err != nil || !again.Unchanged {
				t.Errorf("a second time it is %s (%v)", profile.Encode(again.Seccomp), err)
			}
		})
	}
}
