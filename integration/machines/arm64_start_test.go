package machines

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// What runc 1.1.5 needs to start a container, as measured on x86_64 (docs/reference/profiles.md),
// and calls that later releases need.
var (
	always   = []string{"close", "execve", "fstatfs", "getdents64", "openat"}
	without  = []string{"capget", "capset", "chdir", "fstat", "getcwd", "getppid", "newfstatat", "prctl", "read", "setgid", "setgroups", "setuid"}
	laterOne = []string{"openat2", "statx", "futex"}
)

// TestArm64Start takes one call at a time from a profile that starts containers: runc needs the same
// calls on arm64 as on x86_64.
func TestArm64Start(t *testing.T) {
	const each = `mkdir -p /root/b/rootfs && cp /run/in/exit /root/b/rootfs/ && cd /root/b &&
		for c in /run/in/*.json; do cp $c config.json; timeout 60 runc run x >/dev/null 2>&1 </dev/null || basename $c .json; runc delete -f x >/dev/null 2>&1; done; true`
	files := map[string][]byte{"exit": exitProgram(t)}
	for _, noNewPrivileges := range []bool{true, false} {
		for _, name := range slices.Concat([]string{"none"}, always, without, laterOne) {
			files[startName(noNewPrivileges, name)+".json"] = startConfig(t, noNewPrivileges, name)
		}
	}
	var want []string
	for _, name := range slices.Concat(always, without) {
		want = append(want, startName(false, name))
	}
	for _, name := range always {
		want = append(want, startName(true, name))
	}
	slices.Sort(want)
	said := debian12arm64(t, everything).boot(t, []string{strings.ReplaceAll(each, "\n\t\t", " ")}, files)[0]
	got := strings.Fields(said.text)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("no container starts without one of\n%s, want\n%s", strings.Join(got, " "), strings.Join(want, " "))
	}
}

func startName(noNewPrivileges bool, name string) string {
	return fmt.Sprintf("%s-%t", name, noNewPrivileges)
}

// startConfig returns a config.json of the program exit, with a profile that lacks a call.
func startConfig(t *testing.T, noNewPrivileges bool, without string) []byte {
	t.Helper()
	seccomp := profile.RuntimeDefault(nil)
	seccomp.Architectures = nil // the machine's own
	for i := range seccomp.Syscalls {
		rule := &seccomp.Syscalls[i]
		rule.Names = slices.DeleteFunc(slices.Clone(rule.Names), func(name string) bool { return name == without })
	}
	seccomp.Syscalls = slices.DeleteFunc(seccomp.Syscalls, func(r specs.LinuxSyscall) bool { return len(r.Names) == 0 })
	data, err := json.Marshal(specs.Spec{
		Version: specs.Version,
		Process: &specs.Process{Args: []string{"/exit"}, Cwd: "/", NoNewPrivileges: noNewPrivileges, Capabilities: &specs.LinuxCapabilities{}},
		Root:    &specs.Root{Path: "rootfs"},
		Mounts:  []specs.Mount{{Destination: "/proc", Type: "proc", Source: "proc"}},
		Linux: &specs.Linux{
			CgroupsPath: "/x", Seccomp: &seccomp,
			Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.PIDNamespace}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func exitProgram(t *testing.T) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "exit")
	if said, err := exec.Command("aarch64-linux-gnu-gcc", "-O1", "-nostdlib", "-static", "-o", out, "testdata/exit.c").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return read(t, out)
}
