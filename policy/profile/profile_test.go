package profile_test

import (
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

// resolveCases are profiles with conditions on the machine and the container.
var resolveCases = []struct {
	name   string
	target profile.Target
	want   string
	arches string
}{
	{
		name:   "amd64, old kernel",
		target: profile.Target{GOARCH: "amd64", KernelRelease: "5.4.0-1"},
		want:   "always old nobody amd64 notarm notnew", arches: "SCMP_ARCH_X86_64 SCMP_ARCH_X86",
	},
	{
		name:   "amd64, new kernel",
		target: profile.Target{GOARCH: "amd64", KernelRelease: "6.1.0-13-amd64"},
		want:   "always old nobody amd64 notarm new", arches: "SCMP_ARCH_X86_64 SCMP_ARCH_X86",
	},
	{
		name: "arm64", target: profile.Target{GOARCH: "arm64", KernelRelease: "5.10"},
		want: "always old nobody new", arches: "SCMP_ARCH_AARCH64 SCMP_ARCH_ARM",
	},
	{
		name: "an arch that is not mapped", target: profile.Target{GOARCH: "riscv64"},
		want: "always old nobody notarm notnew",
	},
	{
		name:   "one of two caps",
		target: profile.Target{GOARCH: "arm64", Bounding: []string{"CAP_SYS_ADMIN"}},
		want:   "always old notnew", arches: "SCMP_ARCH_AARCH64 SCMP_ARCH_ARM",
	},
	{
		name:   "both caps",
		target: profile.Target{GOARCH: "arm64", Bounding: []string{"CAP_BPF", "CAP_SYS_ADMIN"}},
		want:   "always old admin notnew", arches: "SCMP_ARCH_AARCH64 SCMP_ARCH_ARM",
	},
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
	for _, tt := range resolveCases {
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
		{capability: "CAP_SYS_ADMIN", syscall: "mount"}, {capability: "CAP_BPF", syscall: "bpf"}, {capability: "CAP_PERFMON", syscall: "perf_event_open"}, {capability: "CAP_SYS_TIME", syscall: "settimeofday"},
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
		{want: true},
		{s: &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}, want: true},
		{s: &specs.LinuxSeccomp{}, want: true},
		{s: &specs.LinuxSeccomp{Syscalls: rule}},
		{s: &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: rule}},
		{s: &specs.LinuxSeccomp{DefaultAction: specs.ActErrno}},
		{s: &specs.LinuxSeccomp{DefaultAction: specs.ActLog}},
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
