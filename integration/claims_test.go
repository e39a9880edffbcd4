package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// claim is a sentence of docs/reference or of a finding about what runtimes make of a
// profile, with what the probe says under it.
type claim struct {
	name    string
	profile string // linux.seccomp
	probe   string // the probe's words
	want    string // what is printed, of every runtime
	// by is what a runtime does where they differ: runc-1.1, runc-1.5 (and 1.6), crun.
	by map[string]string
}

// What a runtime may do besides running the container; else its output must hold want.
const (
	hangs  = "(hangs)"  // did not come to an end
	killed = "(SIGSYS)" // the container, or the runtime that made it, was killed
)

const denyKeyctl = `"syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]`

func ruled(rule string) string {
	return `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{` + rule + `}]}`
}

var claims = []claim{
	{name: "a rule", profile: `{"defaultAction": "SCMP_ACT_ALLOW", ` + denyKeyctl + `}`, probe: "call keyctl", want: "keyctl: EPERM"},
	{name: "names: [] does nothing", profile: ruled(`"names": [], "action": "SCMP_ACT_ERRNO"`), probe: "call keyctl", want: "keyctl: OK"},

	{name: "an allow-only profile is a filter", profile: `{"defaultAction": "SCMP_ACT_ALLOW"}`, probe: "status", want: "Seccomp:\t2"},
	{name: "which kills calls by other ABIs", profile: `{"defaultAction": "SCMP_ACT_ALLOW"}`, probe: "call i386_getpid", want: killed},
	{
		name: "but not by those that it lists", probe: "call i386_getpid", want: "i386_getpid: OK",
		profile: `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]}`,
	},
	{
		name: "no default action and no rules", profile: `{"defaultAction": ""}`, probe: "status", want: "Seccomp:\t0",
		by: map[string]string{"crun": "invalid seccomp action"},
	},
	{
		name: "a deny-list without architectures", probe: "call i386_getpid", want: killed,
		profile: `{"defaultAction": "SCMP_ACT_ALLOW", ` + denyKeyctl + `}`,
	},
	{
		name: "WAIT_KILLABLE_RECV with libseccomp 2.5.4", probe: "call keyctl", want: "seccomp flags are not yet supported",
		profile: `{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "SECCOMP_FILTER_FLAG_TSYNC"], ` + denyKeyctl + `}`,
		by:      map[string]string{"runc-1.5": "SetWaitKill requires libseccomp >= 2.6.0", "crun": "keyctl: EPERM"},
	},

	{
		name: "two conditions on one argument, either is enough", probe: "call keyctl", want: "keyctl: EPERM",
		profile: ruled(`"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [
			{"index": 0, "value": 0, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 6, "op": "SCMP_CMP_EQ"}]`),
	},
	{
		name: "with a third on another, that one too", probe: "call keyctl", want: "keyctl: EPERM",
		profile: ruled(`"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [
			{"index": 0, "value": 5, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 6, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 1, "op": "SCMP_CMP_EQ"}]`),
	},
	{
		name: "one on each argument, both are needed", probe: "call keyctl", want: "keyctl: OK",
		profile: ruled(`"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [
			{"index": 0, "value": 5, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 1, "op": "SCMP_CMP_EQ"}]`),
	},
	{
		name: "a mask of 0 always holds", probe: "call keyctl", want: "keyctl: EPERM",
		profile: ruled(`"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 0, "valueTwo": 5, "op": "SCMP_CMP_MASKED_EQ"}]`),
	},
	{
		name: "errnoRet 0 looks like success", probe: "call keyctl", want: "keyctl: OK",
		profile: ruled(`"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 0`),
	},
	{
		name: "high bits pass a condition", probe: "call high_unix unix", want: "high_unix: OK\nunix: EPERM",
		profile: ruled(`"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]`),
	},
	{
		name: "and no mask", probe: "call high_unix unix", want: "high_unix: EPERM\nunix: EPERM",
		profile: ruled(`"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 4294967295, "valueTwo": 1, "op": "SCMP_CMP_MASKED_EQ"}]`),
	},
	{
		name: "a multiplexed call, whatever argument 0 is", probe: "call socketcall_unix unix", want: "socketcall_unix: EPERM\nunix: OK",
		profile: `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [{
			"names": ["socket"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 4294967295, "valueTwo": 40, "op": "SCMP_CMP_MASKED_EQ"}]}]}`,
	},
	{name: "a sibling stays open", profile: ruled(`"names": ["chmod"], "action": "SCMP_ACT_ERRNO"`), probe: "call chmod", want: "chmod: ENOENT"},
	{name: "and is denied by name", profile: ruled(`"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO"`), probe: "call chmod", want: "chmod: EPERM"},

	{name: "KILL ends a thread", profile: ruled(`"names": ["keyctl"], "action": "SCMP_ACT_KILL"`), probe: "call thread", want: "thread: EIO"},
	{name: "KILL_THREAD does, too", profile: ruled(`"names": ["keyctl"], "action": "SCMP_ACT_KILL_THREAD"`), probe: "call thread", want: "thread: EIO"},
	{name: "KILL_PROCESS ends the program", profile: ruled(`"names": ["keyctl"], "action": "SCMP_ACT_KILL_PROCESS"`), probe: "call thread", want: killed},

	{
		name: "KILL on a call that every runc needs", probe: "call getpid", want: hangs,
		profile: ruled(`"names": ["getdents64"], "action": "SCMP_ACT_KILL"`),
		by:      map[string]string{"crun": "getpid: OK"},
	},
	{
		name: "KILL_PROCESS on it", probe: "call getpid", want: killed,
		profile: ruled(`"names": ["getdents64"], "action": "SCMP_ACT_KILL_PROCESS"`),
		by:      map[string]string{"crun": "getpid: OK"},
	},
	{
		name: "ERRNO on it", probe: "call getpid", want: "operation not permitted",
		profile: ruled(`"names": ["getdents64"], "action": "SCMP_ACT_ERRNO"`),
		by:      map[string]string{"crun": "getpid: OK"},
	},
	{
		name: "KILL on a call that newer versions need", probe: "call getpid", want: "getpid: OK",
		profile: ruled(`"names": ["openat2"], "action": "SCMP_ACT_KILL"`),
		by:      map[string]string{"runc-1.5": hangs},
	},
}

// TestClaims holds what Batten says of runtimes to the runtimes.
func TestClaims(t *testing.T) {
	n := node.Bare(t, newest)
	for runtime, path := range map[string]string{
		"runc-1.1": node.RuntimeOf("debian"), "runc-1.5": node.RuntimeOf(newest), "runc-1.6": node.RuntimeOf(nextRunc), "crun": "crun",
	} {
		for i, c := range claims {
			want := c.want
			if other, differs := c.by[strings.Replace(runtime, "1.6", "1.5", 1)]; differs {
				want = other
			}
			got := c.run(t, n, path, fmt.Sprintf("claim-%s-%d", runtime, i), want == hangs)
			if !strings.Contains(got, want) {
				t.Errorf("%s: %s: got %q, want %q", runtime, c.name, got, want)
			}
		}
	}
}

// run has a runtime run a container under the claim's profile.
func (c claim) run(t *testing.T, n *node.Node, runtime, id string, mayHang bool) string {
	t.Helper()
	bundle := n.Bundle("bundle", id, append([]string{"/probe"}, strings.Fields(c.probe)...)...)
	putSeccomp(t, filepath.Join(bundle, "config.json"), c.profile)
	out, err := os.Create(filepath.Join(n.Dir, "claimed"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	root := filepath.Join(n.Dir, "claims")
	defer func() { _ = n.Command(runtime, "--root", root, "delete", "--force", id).Run() }()
	cmd := n.Command(runtime, "--root", root, "run", "--bundle", bundle, id)
	cmd.Stdout, cmd.Stderr = out, out
	limit := time.Minute
	if mayHang { // and where it does not, it is much faster
		limit = 2 * time.Second
	}
	late := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	err = cmd.Run()
	if !late.Stop() {
		return hangs
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 128+31 {
		return killed
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// putSeccomp puts the text of linux.seccomp into a bundle's spec.
func putSeccomp(t *testing.T, config, profile string) {
	t.Helper()
	var spec, linux map[string]json.RawMessage
	data, err := os.ReadFile(config)
	if err == nil {
		err = json.Unmarshal(data, &spec)
	}
	if err == nil {
		err = json.Unmarshal(spec["linux"], &linux)
	}
	if err != nil {
		t.Fatal(err)
	}
	linux["seccomp"] = json.RawMessage(profile)
	spec["linux"] = json.RawMessage(inJSON(t, linux))
	writeFile(t, config, inJSON(t, spec))
}

// TestHangIsRefused: a profile by which stock runc would never come back is refused
// before runc is called; one that ends a thread of the program alone is not.
func TestHangIsRefused(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		kills := func(name string) []oci.SpecOpts {
			return []oci.SpecOpts{node.WithSeccomp(&specs.LinuxSeccomp{
				DefaultAction: specs.ActAllow,
				Syscalls:      []specs.LinuxSyscall{{Names: []string{name}, Action: specs.ActKill}},
			})}
		}
		refused := []string{"getdents64"}
		if n.Engine.Name == newest { // whose runc is 1.5.2; Debian's 1.1.5 runs the other
			refused = append(refused, "openat2")
		} else if got := n.Output(node.Run{Runtime: node.Batten, Args: []string{"/probe", "call", "getpid"}, Spec: kills("openat2")}); got != "getpid: OK\n" {
			t.Errorf("runc 1.1.5: the container wrote %q", got)
		}
		for _, name := range refused {
			_, err := n.Start(node.Run{Runtime: node.Batten, Spec: kills(name)})
			if want := "its seccomp profile hangs the runtime: it ends the thread that calls " + name; err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %s", err, want)
			}
		}
		got := n.Output(node.Run{Runtime: node.Batten, Args: []string{"/probe", "call", "thread"}, Spec: kills("keyctl")})
		if want := "thread: EIO\n"; got != want {
			t.Errorf("the container wrote %q, want %q", got, want)
		}
	})
}
