package floor_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func ExampleUnion() {
	allows := func(name string) specs.LinuxSeccomp {
		return specs.LinuxSeccomp{DefaultAction: specs.ActErrno, Syscalls: []specs.LinuxSyscall{{
			Names: []string{name}, Action: specs.ActAllow,
		}}}
	}
	out, _, err := floor.Union(allows("openat"), allows("read"), floor.Limits{})
	fmt.Println(string(profile.Encode(out)), err)
	// Output:
	// {"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,"syscalls":[{"names":["openat","read"],"action":"SCMP_ACT_ALLOW"}]} <nil>
}

func TestUnion(t *testing.T) {
	const (
		errno = `"defaultAction":"SCMP_ACT_ERRNO"`
		kill  = `"defaultAction":"SCMP_ACT_KILL_PROCESS"`
		allow = `"defaultAction":"SCMP_ACT_ALLOW"`
		both  = `"architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86"]`
	)
	rule := func(action, names, more string) string {
		return `{"names":["` + strings.ReplaceAll(names, " ", `","`) + `"],"action":"SCMP_ACT_` + action + `"` + more + `}`
	}
	of := func(head string, rules ...string) string {
		return `{` + head + `,"syscalls":[` + strings.Join(rules, ",") + `]}`
	}
	family := func(n string) string {
		return rule("ALLOW", "socket", `,"args":[{"index":0,"value":`+n+`,"op":"SCMP_CMP_EQ"}]`)
	}
	for _, tt := range []struct {
		name, first, second string
		want                string // "first" if it is the first as it stands
		notes, err          string
	}{
		{name: "the same", first: of(errno, rule("ALLOW", "read", "")), second: of(errno, rule("ALLOW", "read", "")), want: "first"},
		{name: "the first allows more", first: of(errno, rule("ALLOW", "write read", "")), second: of(errno, rule("ALLOW", "read", "")), want: "first"},
		{
			name: "arguments", first: of(errno, family("1"), rule("ALLOW", "statx", "")), second: of(errno, family("2"), rule("ALLOW", "statx", "")),
			want: of(errno+`,"defaultErrnoRet":1`, rule("ALLOW", "statx", ""), family("1"), family("2")),
		},
		{name: "some arguments, and all", first: of(errno, family("1")), second: of(errno, rule("ALLOW", "socket", "")), want: of(errno+`,"defaultErrnoRet":1`, rule("ALLOW", "socket", ""))},
		{
			name: "the errno of the first", first: of(errno, rule("ERRNO", "bpf", `,"errnoRet":38`), rule("ALLOW", "statx", "")), second: of(errno, rule("ERRNO", "bpf", `,"errnoRet":13`), rule("ALLOW", "statx read", "")),
			want: of(errno+`,"defaultErrnoRet":1`, rule("ALLOW", "read statx", ""), rule("ERRNO", "bpf", `,"errnoRet":38`)),
		},
		{
			name: "kills only where both kill", first: of(kill, rule("ERRNO", "bpf", `,"errnoRet":1`), rule("ALLOW", "statx", "")), second: of(kill, rule("ALLOW", "statx keyctl", "")),
			want: of(kill, rule("ALLOW", "keyctl statx", ""), rule("ERRNO", "bpf", `,"errnoRet":1`)),
		},
		{name: "one allows by default", first: of(allow, rule("ERRNO", "bpf keyctl", "")), second: of(errno, rule("ALLOW", "bpf", "")), want: of(allow, rule("ERRNO", "keyctl", `,"errnoRet":1`))},
		{name: "logging", first: of(allow, rule("LOG", "bpf", "")), second: of(allow, rule("ERRNO", "bpf", "")), want: "first"},
		{
			name: "an architecture of one", first: of(errno, rule("ALLOW", "read", "")), second: of(errno+`,`+both, rule("ALLOW", "write", "")),
			want:  of(errno+`,"defaultErrnoRet":1,`+both, rule("ALLOW", "read write", "")),
			notes: "only the second profile lists SCMP_ARCH_X86; what the other allows is allowed there, too, since rules are for every architecture: read",
		},
		{name: "flags", first: of(errno+`,"flags":["SECCOMP_FILTER_FLAG_LOG"]`, rule("ALLOW", "read", "")), second: of(errno, rule("ALLOW", "read", "")), want: of(errno+`,"defaultErrnoRet":1,"flags":["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]`, rule("ALLOW", "read", ""))},
		{name: "flags of both", first: of(errno+`,"flags":["SECCOMP_FILTER_FLAG_LOG"]`, rule("ALLOW", "read", "")), second: of(errno+`,"flags":["SECCOMP_FILTER_FLAG_LOG"]`, rule("ALLOW", "read", "")), want: "first"},
		{name: "a listener", first: of(errno, rule("ALLOW", "read", "")), second: of(errno+`,"listenerPath":"/run/l"`, rule("NOTIFY", "read", "")), want: of(errno+`,"defaultErrnoRet":1`, rule("ALLOW", "read", ""))},
		{
			name: "the listener of the second", first: of(errno, rule("ALLOW", "read", "")), second: of(errno+`,"listenerPath":"/run/l"`, rule("NOTIFY", "bpf", "")),
			want: of(errno+`,"defaultErrnoRet":1,"listenerPath":"/run/l"`, rule("ALLOW", "read", ""), rule("NOTIFY", "bpf", "")),
		},
		{
			name: "two listeners", first: of(errno+`,"listenerPath":"/run/k"`, rule("NOTIFY", "read", "")), second: of(errno+`,"listenerPath":"/run/l"`, rule("NOTIFY", "bpf", "")),
			err: "the two profiles notify different listeners, and a profile has one",
		},
		{
			name: "rules of two meanings", first: of(errno, family("1"), rule("LOG", "socket", `,"args":[{"index":1,"value":1,"op":"SCMP_CMP_EQ"}]`)), second: of(errno, rule("ALLOW", "read", "")),
			err: "the rules on socket overlap with different actions, or libseccomp may misread them; give it rules of one meaning",
		},
		{name: "what runc refuses", first: of(errno), second: `{"defaultAction":"SCMP_ACT_MAYBE"}`, err: `the second profile: defaultAction "SCMP_ACT_MAYBE" is none that runc takes`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first, err := profile.Decode([]byte(tt.first))
			if err != nil {
				t.Fatal(err)
			}
			second, err := profile.Decode([]byte(tt.second))
			if err != nil {
				t.Fatal(err)
			}
			out, notes, err := floor.Union(*first, *second, floor.Limits{})
			if got := errorText(err); got != tt.err {
				t.Fatalf("error %q, want %q", got, tt.err)
			}
			if got := strings.Join(notes, "\n"); got != tt.notes {
				t.Errorf("notes %q, want %q", got, tt.notes)
			}
			want := tt.want
			if want == "first" {
				want = tt.first
			}
			if got := text(out); err == nil && got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
