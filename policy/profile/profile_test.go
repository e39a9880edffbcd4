package profile_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// startable are rules without which no container starts; tests of other
// things add them.
const startable = `{"names": ["close","execve","fstat","fstatfs","getdents64","openat","openat2","statx","capget","capset","chdir","futex","getcwd","getppid","newfstatat","prctl","read","setgid","setgroups","setuid"], "action": "SCMP_ACT_ALLOW"}`

func parse(t *testing.T, text string) *profile.Profile {
	t.Helper()
	p, findings := profile.Parse("p.json", []byte(text))
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParseFindings(t *testing.T) {
	allow := func(rules string) string { return `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [` + rules + `]}` }
	deny := func(rules string) string {
		return `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [` + startable + `, ` + rules + `]}`
	}
	for _, tt := range []struct {
		name, text string
		want       []string // without the file's name
	}{
		{"clean", deny(`{"names": ["write"], "action": "SCMP_ACT_ALLOW"}`), nil},
		{"clean deny-list", allow(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}`), nil},
		{"empty file", "", []string{` the file is empty; an empty profile is not "Unconfined", write the whole profile`}},
		{"not JSON", "{,}", []string{`1:2: not valid JSON: invalid character ',' looking for beginning of object key string`}},
		{"a list", "[]", []string{
			`1:1: is a list, want a mapping`,
			`1:1: defaultAction is missing; runc refuses such a profile`,
		}},
		{"unknown keys", `{"defaultAction": "SCMP_ACT_ALLOW", "arch": [], "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "arg": []}]}`, []string{
			`1:37: unknown key "arch"`,
			`1:112: syscalls[0]: unknown key "arg"; did you mean "args"?`,
		}},
		{"duplicate key", `{"defaultAction": "SCMP_ACT_ALLOW",` + "\n" + `"defaultAction": "SCMP_ACT_LOG"}`, []string{`2:1: key "defaultAction" occurs twice, first in line 1; remove one`}},
		{"unknown action", allow(`{"names": ["keyctl"], "action": "SCMP_ACT_ERNO"}`), []string{`1:82: syscalls[0].action: unknown value "SCMP_ACT_ERNO", want SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP, SCMP_ACT_ERRNO, SCMP_ACT_TRACE, SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_NOTIFY; did you mean "SCMP_ACT_ERRNO"?`}},
		{"no names", allow(`{"action": "SCMP_ACT_ERRNO"}`), []string{`1:50: syscalls[0]: names no syscall; runc refuses such a rule`}},
		{"no action", allow(`{"names": ["keyctl"]}`), []string{`1:50: syscalls[0]: has no action`}},
		{"name and names", allow(`{"name": "keyctl", "names": ["bpf"], "action": "SCMP_ACT_ERRNO"}`), []string{`1:59: syscalls[0].name: stands beside names; write one of the two`}},
		{"argument 6", allow(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}`), []string{`1:119: syscalls[0].args[0].index: argument 6 does not exist; a syscall has arguments 0 to 5`}},
		{"a value too large", allow(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 18446744073709551616, "op": "SCMP_CMP_EQ"}]}`), []string{`1:131: syscalls[0].args[0].value: 18446744073709551616 is not a whole number from 0 to 2^64-1`}},
		{"a fraction", allow(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1.5}`), []string{`1:112: syscalls[0].errnoRet: 1.5 is not a whole number from 0 to 2^32-1`}},
		{"errno too large", allow(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 4096}`), []string{`1:112: syscalls[0].errnoRet: errno 4096 is above 4095, the largest that the kernel returns`}},
		{"errno names disagree", allow(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "errno": "ENOSYS"}`), []string{`1:124: syscalls[0].errno: ENOSYS is 38, but errnoRet says 1; write one of the two`}},
		{"unknown errno", allow(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errno": "ENOPE"}`), []string{`1:109: syscalls[0].errno: unknown errno "ENOPE"`}},
		{"archMap and architectures", `{"defaultAction": "SCMP_ACT_LOG", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": null}]}`, []string{`1:52: architectures: stands beside archMap; write one of the two`}},
		{"notify without listener", allow(`{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}`), []string{`1:1: a rule has SCMP_ACT_NOTIFY but listenerPath is missing; runc refuses that`}},
		{"notify on write", `{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/x", "syscalls": [{"names": ["write"], "action": "SCMP_ACT_NOTIFY"}]}`, []string{`1:76: syscalls[0]: SCMP_ACT_NOTIFY on write; runc refuses that, since it writes to hand over the listener`}},
		{"notify by default", `{"defaultAction": "SCMP_ACT_NOTIFY", "syscalls": [` + startable + `]}`, []string{`1:1: defaultAction is SCMP_ACT_NOTIFY; runc refuses that, write the calls to notify of as rules`}},
		{"listener without notify", `{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/x", "syscalls": []}`, []string{`1:1: warning: listenerPath is set but no rule has SCMP_ACT_NOTIFY; nothing will be sent there`}},
		{"nothing matches", `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": [{"names": ["umount"], "action": "SCMP_ACT_ERRNO"}]}`, []string{`1:1: warning: lists SCMP_ARCH_X32, and its rules without conditions are on calls that x86_64 lacks: for crun, and up to 32 names for runc, libseccomp makes a filter in which no rule matches; leave SCMP_ARCH_X32 out`}},
		{"something does", `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": [{"names": ["umount", "umount2"], "action": "SCMP_ACT_ERRNO"}]}`, nil},
		{"misspelt deny", allow(`{"names": ["keyctll"], "action": "SCMP_ACT_ERRNO"}`), []string{`1:50: warning: syscalls[0]: unknown syscall "keyctll": runtimes skip it, so the rule denies nothing by that name; did you mean "keyctl"?`}},
		{"misspelt allow", deny(`{"names": ["keyctll"], "action": "SCMP_ACT_ALLOW"}`), []string{`1:278: warning: syscalls[1]: unknown syscall "keyctll": runtimes skip it; did you mean "keyctl"?`}},
		{"unlike any", deny(`{"names": ["frobnicate_everything"], "action": "SCMP_ACT_ALLOW"}`), nil},
		{"says the default", deny(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}`), []string{`1:278: warning: syscalls[1]: has the same action as defaultAction; runc skips the rule`}},
		{"says the default, by another errno", deny(`{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 2}`), nil},
		{"two conditions on one argument", allow(`{"names": ["personality"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_GE"}, {"index": 0, "value": 9, "op": "SCMP_CMP_LE"}]}`), []string{`1:50: warning: syscalls[0]: has two conditions on argument 0; runc makes each a rule of its own, so either is enough`}},
		{"never matches", allow(`{"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_LT"}]}`), []string{`1:50: warning: syscalls[0]: the condition on argument 0 can never match; the rule does nothing`}},
		{"bits outside the mask", allow(`{"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 2, "valueTwo": 3, "op": "SCMP_CMP_MASKED_EQ"}]}`), []string{`1:50: warning: syscalls[0]: the condition on argument 0 wants bits outside its mask; libseccomp ignores them`}},
		{"overlap", allow(`{"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 8, "valueTwo": 8, "op": "SCMP_CMP_MASKED_EQ"}]}, {"names": ["bpf", "clone"], "action": "SCMP_ACT_LOG"}`), []string{`1:179: warning: syscalls[1]: another rule on clone with a different action matches the same calls; libseccomp does not say which wins`}},
		{"no overlap", allow(`{"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 8, "valueTwo": 8, "op": "SCMP_CMP_MASKED_EQ"}]}, {"names": ["clone"], "action": "SCMP_ACT_LOG", "args": [{"index": 0, "value": 8, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]}`), nil},
		{"no overlap by caps", allow(`{"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "excludes": {"caps": ["CAP_SYS_ADMIN"]}}, {"names": ["clone3"], "action": "SCMP_ACT_LOG", "includes": {"caps": ["CAP_SYS_ADMIN"]}}`), nil},
		{"four calls", `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read", "write", "exit", "fstat"], "action": "SCMP_ACT_ALLOW"}]}`, []string{`1:1: cannot start a container: denies close, execve, fstatfs, getdents64, openat, openat2, statx, capget, capset, chdir, futex, getcwd, getppid, newfstatat, prctl, setgid, setgroups, setuid, which the runtime needs after the filter is in place`}},
		{"nearly", `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [` + strings.Replace(startable, `"capset",`, "", 1) + `]}`, []string{`1:1: warning: may not start a container: denies capset, which runc needs after the filter is in place`}},
		{"bad kernel", allow(`{"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "includes": {"minKernel": "new"}}`), []string{`1:123: syscalls[0].includes.minKernel: "new" is not a kernel version such as 4.8`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, findings := profile.Parse("p.json", []byte(tt.text))
			var got []string
			for _, f := range findings {
				got = append(got, strings.TrimPrefix(f.String(), `profile "p.json":`))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if (findings.Err() == nil) != (p != nil) {
				t.Errorf("profile %v beside error %v", p, findings.Err())
			}
		})
	}
}

func TestResolve(t *testing.T) {
	p := parse(t, `{
		"defaultAction": "SCMP_ACT_ALLOW",
		"archMap": [
			{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
			{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
		"syscalls": [
			{"names": ["always"], "action": "SCMP_ACT_LOG", "comment": "x"},
			{"name": "old", "action": "SCMP_ACT_ERRNO", "errno": "ENOSYS", "args": null},
			{"names": ["admin"], "action": "SCMP_ACT_LOG", "includes": {"caps": ["CAP_SYS_ADMIN", "CAP_BPF"]}},
			{"names": ["nobody"], "action": "SCMP_ACT_LOG", "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
			{"names": ["amd64"], "action": "SCMP_ACT_LOG", "includes": {"arches": ["amd64", "x32"]}},
			{"names": ["notarm"], "action": "SCMP_ACT_LOG", "excludes": {"arches": ["arm64"]}},
			{"names": ["new"], "action": "SCMP_ACT_LOG", "includes": {"minKernel": "5.10"}},
			{"names": ["notnew"], "action": "SCMP_ACT_LOG", "excludes": {"minKernel": "5.10"}}
		]}`)
	for _, tt := range []struct {
		name   string
		target profile.Target
		want   string
		arches string
	}{
		{"amd64, old kernel", profile.Target{GOARCH: "amd64", KernelRelease: "5.4.0-1"}, "always old nobody amd64 notarm notnew", "SCMP_ARCH_X86_64 SCMP_ARCH_X86"},
		{"amd64, new kernel", profile.Target{GOARCH: "amd64", KernelRelease: "6.1.0-13-amd64"}, "always old nobody amd64 notarm new", "SCMP_ARCH_X86_64 SCMP_ARCH_X86"},
		{"arm64", profile.Target{GOARCH: "arm64", KernelRelease: "5.10"}, "always old nobody new", "SCMP_ARCH_AARCH64 SCMP_ARCH_ARM"},
		{"an arch that is not mapped", profile.Target{GOARCH: "riscv64"}, "always old nobody notarm notnew", ""},
		{"one of two caps", profile.Target{GOARCH: "arm64", Bounding: []string{"CAP_SYS_ADMIN"}}, "always old notnew", "SCMP_ARCH_AARCH64 SCMP_ARCH_ARM"},
		{"both caps", profile.Target{GOARCH: "arm64", Bounding: []string{"CAP_BPF", "CAP_SYS_ADMIN"}}, "always old admin notnew", "SCMP_ARCH_AARCH64 SCMP_ARCH_ARM"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := p.Resolve(tt.target)
			var names, arches []string
			for _, r := range s.Syscalls {
				names = append(names, r.Names...)
			}
			for _, a := range s.Architectures {
				arches = append(arches, string(a))
			}
			if got := strings.Join(names, " "); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if got := strings.Join(arches, " "); got != tt.arches {
				t.Errorf("architectures: got %q, want %q", got, tt.arches)
			}
			if e := s.Syscalls[1].ErrnoRet; e == nil || *e != 38 {
				t.Errorf("errno ENOSYS became %v", e)
			}
		})
	}
}

func TestRuntimeDefaultWidens(t *testing.T) {
	has := func(bounding []string, name string) bool {
		return slices.ContainsFunc(profile.RuntimeDefault(bounding).Syscalls, func(r specs.LinuxSyscall) bool {
			return r.Action == specs.ActAllow && slices.Contains(r.Names, name)
		})
	}
	for _, tt := range []struct{ capability, syscall string }{
		{"CAP_SYS_ADMIN", "mount"}, {"CAP_BPF", "bpf"}, {"CAP_PERFMON", "perf_event_open"}, {"CAP_SYS_TIME", "settimeofday"},
	} {
		if has(nil, tt.syscall) {
			t.Errorf("%s is allowed without any capability", tt.syscall)
		}
		if !has([]string{tt.capability}, tt.syscall) {
			t.Errorf("%s is not allowed with %s", tt.syscall, tt.capability)
		}
	}
}

func TestFiltersNothing(t *testing.T) {
	rule := []specs.LinuxSyscall{{Names: []string{"keyctl"}, Action: specs.ActErrno}}
	for _, tt := range []struct {
		s    *specs.LinuxSeccomp
		want bool
	}{
		{nil, true},
		{&specs.LinuxSeccomp{DefaultAction: specs.ActAllow}, true},
		{&specs.LinuxSeccomp{}, true},
		{&specs.LinuxSeccomp{Syscalls: rule}, false},
		{&specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: rule}, false},
		{&specs.LinuxSeccomp{DefaultAction: specs.ActErrno}, false},
		{&specs.LinuxSeccomp{DefaultAction: specs.ActLog}, false},
	} {
		if got := profile.FiltersNothing(tt.s); got != tt.want {
			t.Errorf("%+v: got %v, want %v", tt.s, got, tt.want)
		}
	}
}

// TestCorpus reads real profiles, where a folder of them is given.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("CORPUS")
	if dir == "" {
		dir = "testdata/corpus"
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no profiles in %s (%v)", dir, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, findings := profile.Parse(file, data)
		if err := findings.Err(); err != nil {
			if !strings.Contains(err.Error(), "cannot start a container") || len(findings.Errors()) > 1 {
				t.Errorf("%v", err)
			}
			continue
		}
		s := p.Resolve(profile.Target{KernelRelease: "6.1"})
		if s.DefaultAction == "" || len(s.Syscalls) == 0 {
			t.Errorf("%s: resolved to nothing: %+v", file, s)
		}
		if missing := profile.Missing(&s, false); slices.Contains(missing, "execve") {
			t.Errorf("%s: is said not to start a container: %v", file, missing)
		}
	}
}

func TestMissing(t *testing.T) {
	s := profile.RuntimeDefault(nil)
	if got := profile.Missing(&s, false); got != nil {
		t.Errorf("the default profile lacks %v", got)
	}
	if got := profile.Missing(nil, false); got != nil {
		t.Errorf("no profile lacks %v", got)
	}
	killer := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{
		{Names: []string{"execve"}, Action: specs.ActErrno},
		{Names: []string{"setuid"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Index: 0, Op: specs.OpEqualTo}}},
		{Names: []string{"setgid"}, Action: specs.ActErrno},
	}}
	if got, want := profile.Missing(killer, false), []string{"execve", "setgid"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := profile.Missing(killer, true), []string{"execve"}; !reflect.DeepEqual(got, want) {
		t.Errorf("with no_new_privs: got %v, want %v", got, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 8, "valueTwo": 8, "op": "SCMP_CMP_MASKED_EQ"}]}]}`))
	f.Add([]byte(`{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS", "archMap": null, "flags": [], "syscalls": [` + startable + `]}`))
	f.Add([]byte(`[{}]`))
	f.Add([]byte(`{"syscalls": {"a": [1, 1e99, -1, null]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, findings := profile.Parse("p.json", data)
		if (p == nil) != (findings.Err() != nil) {
			t.Fatalf("profile %v beside error %v", p, findings.Err())
		}
		for _, finding := range findings {
			if finding.String() == "" || strings.Contains(finding.Message, "%!") && !bytes.Contains(data, []byte("%!")) {
				t.Fatalf("finding %+v", finding)
			}
		}
		if p == nil {
			return
		}
		// What was accepted reads back as what it was.
		s := p.Resolve(profile.Target{KernelRelease: "6.1"})
		text := profile.Encode(s)
		if _, err := profile.Decode(text); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	})
}
