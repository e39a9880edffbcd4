package reader_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile/reader"
)

// What is said of what an engine drops, and to whom that matters.
func TestDropped(t *testing.T) {
	deny := func(more string) string {
		return `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_ERRNO", ` + more + `}]}`
	}
	startable := `"close","execve","fstatfs","getdents64","openat","fstat","openat2","statx","capget","capset","chdir","futex","getcwd","getppid","newfstatat","prctl","read","setgid","setgroups","setuid"`
	allow := `{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": [` + startable + `], "action": "SCMP_ACT_ALLOW"},
{"names": ["unshare"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}}, {"name": "clone", "action": "SCMP_ACT_ALLOW"}]}`
	for _, tt := range []struct {
		name, file string
		engine     reader.Engine
		want       []string
	}{
		{name: "an allow-list with conditions", engine: reader.Containerd, file: allow, want: []string{
			`2:52: syscalls[1].includes: containerd drops includes, so the rule counts for every container: it allows unshare for everybody`,
			`2:95: syscalls[2].name: containerd drops name, so the rule names no call and does nothing: nothing allows clone; write names: ["clone"]`,
		}},
		{name: "the same for Docker", engine: reader.Docker, file: allow},
		{name: "the same for Podman", engine: reader.Podman, file: allow},
		{name: "an errno by name", engine: reader.Docker, file: deny(`"names": ["bpf"], "errno": "ENOSYS"`), want: []string{
			`1:97: warning: syscalls[0].errno: Docker drops errno, so the call returns what errnoRet says, and EPERM without it; write errnoRet`,
		}},
		{name: "the same for CRI-O", engine: reader.CRIO, file: deny(`"names": ["bpf"], "errno": "ENOSYS"`)},
		{name: "minKernel", engine: reader.Podman, file: deny(`"names": ["bpf"], "includes": {"minKernel": "4.8"}`), want: []string{
			`1:110: warning: syscalls[0].includes.minKernel: Podman drops minKernel, so the condition holds on every kernel`,
		}},
		{name: "the same for Docker", engine: reader.Docker, file: deny(`"names": ["bpf"], "includes": {"minKernel": "4.8"}`)},
		{name: "a misspelt key", engine: reader.Containerd, file: deny(`"names": ["bpf"], "errnoret2": 1`), want: []string{
			`1:97: warning: syscalls[0].errnoret2: containerd does not know "errnoret2" and drops it; did you mean "errnoRet"?`,
		}},
		{name: "what says nothing", engine: reader.Containerd, file: deny(`"names": ["bpf"], "comment": "why", "includes": {}, "excludes": null, "name": ""`)},
		{name: "an empty list of flags", engine: reader.Containerd, file: `{"defaultAction": "SCMP_ACT_ALLOW", "flags": [], "syscalls": [{"names": ["bpf"], "action": "SCMP_ACT_ERRNO"}]}`, want: []string{
			`1:37: warning: flags: containerd leaves an empty list of flags out of config.json, so the runtime loads the filter with SECCOMP_FILTER_FLAG_SPEC_ALLOW; write ["SECCOMP_FILTER_FLAG_LOG"], or nothing`,
		}},
		{name: "a SeccompProfile on the node", engine: reader.Containerd, file: `{"kind": "SeccompProfile", "spec": {"defaultAction": "SCMP_ACT_ALLOW"}}`, want: []string{
			`1:28: spec: containerd drops spec, and with it the whole profile: a SeccompProfile is for the Security Profiles Operator, which writes what engines read`,
		}},
		{name: "numbers as text for Docker", engine: reader.Docker, file: deny(`"names": ["bpf"], "errnoRet": "38"`), want: []string{
			`1:109: syscalls[0].errnoRet: Docker does not read it, so the container does not start: json: cannot unmarshal string into Go struct field Syscall.syscalls.LinuxSyscall.errnoRet of type uint`,
		}},
		{name: "a text for an index, for Podman", engine: reader.Podman, file: `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["bpf"], "action": "SCMP_ACT_ERRNO"}, {"args": [{"index": 0}, {"index": "a"}], "names": ["bpf"]}]}`, want: []string{
			`1:132: syscalls[1].args[1].index: Podman does not read it, so the container does not start: json: cannot unmarshal string into Go struct field commonArg.syscalls.args.index of type uint`,
		}},
		{name: "numbers as text", engine: reader.Containerd, file: deny(`"names": ["bpf"], "errnoRet": "38"`), want: []string{
			`1:109: syscalls[0].errnoRet: containerd does not read it, so the container does not start: json: cannot unmarshal string into Go struct field LinuxSyscall.syscalls.errnoRet of type uint`,
		}},
	} {
		_, findings := tt.engine.Read("f", []byte(tt.file))
		var got []string
		for _, f := range findings {
			got = append(got, strings.TrimPrefix(f.String(), `profile "f":`))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}
