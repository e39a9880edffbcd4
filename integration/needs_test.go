package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// twoCalls is a program that makes write and exit_group, and nothing else.
const twoCalls = `
static long call(long n, long a, long b, long c) {
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
}
void _start(void) {
	call(1, 1, (long)"started\n", 8);
	call(231, 0, 0, 0);
}
`

// neededAtStart are the calls without any of which a runtime does not start a container: what
// docs/reference/profiles.md says, and policy/profile goes by.
var neededAtStart = map[string]struct{ always, beforeNoNewPrivileges string }{
	"runc 1.1.5": {
		always:                "close execve fstatfs getdents64 openat",
		beforeNoNewPrivileges: "capget capset chdir fstat getcwd getppid newfstatat prctl read setgid setgroups setuid",
	},
	"runc 1.5.2": {
		always:                "close execve fstat fstatfs getdents64 openat openat2 statx",
		beforeNoNewPrivileges: "capget capset chdir getcwd getppid newfstatat prctl read setgid setgroups setuid",
	},
	"runc 1.6": {
		always:                "close execve fstat fstatfs getdents64 openat openat2 statx",
		beforeNoNewPrivileges: "capget capset chdir getcwd getppid newfstatat prctl read setgid setgroups setuid",
	},
}

// TestNeeds takes one call at a time from a profile that starts a container, and holds the
// table of those that a runtime cannot do without to what came of it.
func TestNeeds(t *testing.T) {
	n := node.Bare(t, newest)
	for name, runtime := range map[string]string{
		"runc 1.1.5": node.RuntimeOf("debian"), "runc 1.5.2": node.RuntimeOf(newest), "runc 1.6": node.RuntimeOf(nextRunc),
	} {
		for _, noNewPrivileges := range []bool{true, false} {
			want := strings.Fields(neededAtStart[name].always)
			if !noNewPrivileges {
				want = append(want, strings.Fields(neededAtStart[name].beforeNoNewPrivileges)...)
			}
			slices.Sort(want)
			got := needs(t, n, runtime, noNewPrivileges)
			if !slices.Equal(got, want) {
				t.Errorf("%s, no_new_privs %v: it needs\n%s\nwant\n%s", name, noNewPrivileges, strings.Join(got, " "), strings.Join(want, " "))
			}
			table := missing(noNewPrivileges)
			for _, call := range got {
				if !slices.Contains(table, call) {
					t.Errorf("%s, no_new_privs %v: policy/profile does not know that it needs %s", name, noNewPrivileges, call)
				}
			}
		}
	}
}

// missing are the calls that policy/profile says a runtime needs.
func missing(noNewPrivileges bool) []string {
	return profile.Missing(&specs.LinuxSeccomp{DefaultAction: specs.ActErrno}, noNewPrivileges)
}

// needs returns the calls without which a runtime does not start a container, sorted.
func needs(t *testing.T, n *node.Node, runtime string, noNewPrivileges bool) (out []string) {
	t.Helper()
	bundle := n.Bundle("needs", "needs", "/two-calls")
	compileTwoCalls(t, filepath.Join(bundle, "rootfs/two-calls"))
	config := filepath.Join(bundle, "config.json")
	setPrivileges(t, config, noNewPrivileges)
	names := slices.Concat(profile.AtStart(noNewPrivileges), missing(noNewPrivileges), []string{"clone", "clone3"})
	slices.Sort(names)
	names = slices.Compact(names)
	starts := func(names []string) bool {
		text, err := json.Marshal(specs.LinuxSeccomp{
			DefaultAction: specs.ActErrno, Architectures: []specs.Arch{specs.ArchX86_64},
			Syscalls: []specs.LinuxSyscall{{Names: names, Action: specs.ActAllow}},
		})
		if err != nil {
			t.Fatal(err)
		}
		putSeccomp(t, config, string(text))
		said, _ := n.Command(runtime, "--root", filepath.Join(n.Dir, "needs-root"), "run", "--bundle", bundle, "needs").CombinedOutput()
		_ = n.Command(runtime, "--root", filepath.Join(n.Dir, "needs-root"), "delete", "--force", "needs").Run()
		return strings.Contains(string(said), "started\n")
	}
	if !starts(names) {
		t.Fatalf("no container starts with %q", names)
	}
	for _, name := range names {
		if slices.Contains([]string{"write", "exit_group", "futex", "rt_sigreturn"}, name) { // the program's own two, and what Go's runtime needs at times
			continue
		}
		less := slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == name })
		started := false
		for try := 0; try < 3 && !started; try++ { // what Go's runtime does is not the same each time
			started = starts(less)
		}
		if !started {
			out = append(out, name)
		}
	}
	return out
}

func compileTwoCalls(t *testing.T, path string) {
	t.Helper()
	source := filepath.Join(t.TempDir(), "two-calls.c")
	writeFile(t, source, twoCalls)
	if out, err := exec.Command("gcc", "-static", "-nostdlib", "-Os", "-o", path, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

func setPrivileges(t *testing.T, config string, set bool) {
	t.Helper()
	data, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	var spec specs.Spec
	if err := json.Unmarshal(data, &spec); err != nil {
		t.Fatal(err)
	}
	spec.Process.NoNewPrivileges = set
	some := []string{"CAP_CHOWN"} // as every engine gives; with none at all runc leaves capset out
	spec.Process.Capabilities = &specs.LinuxCapabilities{Bounding: some, Effective: some, Permitted: some}
	writeFile(t, config, inJSON(t, spec))
}
