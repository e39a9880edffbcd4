package machines

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// twoCalls is a program that makes write and exit_group, and nothing else.
const twoCalls = `
static long call(long n, long a, long b, long c) {
	register long x8 __asm__("x8") = n, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}
void _start(void) {
	call(64, 1, (long)"started\n", 8);
	call(94, 0, 0, 0);
}
`

// needed are the calls without any of which runc 1.1.5 starts no container on arm64.
var needed = map[bool]string{ // no_new_privs
	true:  "close execve fstatfs getdents64 openat",
	false: "capget capset chdir close execve fstat fstatfs getcwd getdents64 getppid newfstatat openat prctl read setgid setgroups setuid",
}

// tryAll starts a container under each profile that there is, and names those under which none
// starts, twice.
const tryAll = `mkdir -p /root/needs/rootfs/proc && gcc -static -nostdlib -Os -o /root/needs/rootfs/two-calls /run/in/two-calls.c && cd /root/needs && ` +
	`starts() { cp $1 config.json; runc delete --force needs 2>/dev/null; runc run needs 2>/dev/null | grep -q started; }; ` +
	`for f in /run/in/needs.%s.*; do starts $f || starts $f || starts $f || echo ${f##*.}; done`

// TestArm64Needs takes one call at a time from a profile that starts a container on arm64, as
// integration's TestNeeds does on x86_64.
func TestArm64Needs(t *testing.T) {
	files := map[string][]byte{"two-calls.c": []byte(twoCalls)}
	var commands []string
	modes := []bool{true, false}
	for _, noNewPrivileges := range modes {
		names := slices.Concat(profile.AtStart(noNewPrivileges), profile.Missing(&specs.LinuxSeccomp{DefaultAction: specs.ActErrno}, noNewPrivileges), []string{"clone", "clone3"})
		slices.Sort(names)
		names = slices.Compact(names)
		file := func(name string) string { return fmt.Sprintf("needs.%v.%s", noNewPrivileges, name) }
		files[file("none")] = specWith(t, names, noNewPrivileges) // the control
		for _, name := range names {
			if slices.Contains([]string{"write", "exit_group", "futex"}, name) { // the program's own two, and what Go's runtime needs at times
				continue
			}
			files[file(name)] = specWith(t, slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == name }), noNewPrivileges)
		}
		commands = append(commands, fmt.Sprintf(tryAll, fmt.Sprint(noNewPrivileges)))
	}
	for i, said := range debian12arm64(t, everything).boot(t, commands, files) {
		got := strings.Fields(said.text)
		slices.Sort(got)
		t.Logf("no_new_privs %v, %.0f s: %s", modes[i], said.ended-said.began, strings.Join(got, " "))
		if want := strings.Fields(needed[modes[i]]); said.status > 1 || !slices.Equal(got, want) {
			t.Errorf("no_new_privs %v: runc needs\n%s\nwant\n%s", modes[i], said.text, strings.Join(want, "\n"))
		}
	}
}

// specWith is a container's spec whose profile allows the names alone.
func specWith(t *testing.T, names []string, noNewPrivileges bool) []byte {
	t.Helper()
	some := []string{"CAP_CHOWN"}
	data, err := json.Marshal(specs.Spec{
		Version: "1.0.2", Root: &specs.Root{Path: "rootfs"},
		Process: &specs.Process{
			Args: []string{"/two-calls"}, Cwd: "/", NoNewPrivileges: noNewPrivileges,
			Capabilities: &specs.LinuxCapabilities{Bounding: some, Effective: some, Permitted: some},
		},
		Mounts: []specs.Mount{{Destination: "/proc", Type: "proc", Source: "proc"}},
		Linux: &specs.Linux{
			Namespaces: []specs.LinuxNamespace{{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}},
			Seccomp: &specs.LinuxSeccomp{
				DefaultAction: specs.ActErrno, Architectures: []specs.Arch{specs.ArchAARCH64},
				Syscalls: []specs.LinuxSyscall{{Names: names, Action: specs.ActAllow}},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}
