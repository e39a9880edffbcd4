package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// TestBlockRunning: batten block --running closes a call to processes that run already, by both
// ABIs, whatever their container asked for and whoever started it, and they go on; and to those that
// are started in the container later. Nothing else changes, and one that is left out is named.
func TestBlockRunning(t *testing.T) {
	n := node.Start(t, newest)
	setPolicy(t, n, `version: 1
rules:
- {name: free, match: {containerdNamespace: [moby]}, absent: Unconfined}
`)
	filter := []oci.SpecOpts{node.WithSeccomp(denyKeys())}
	all := []*running{
		{run: node.Run{ID: "unfiltered", Runtime: node.Batten, Namespace: "moby"}},
		{run: node.Run{ID: "bypassing", Runtime: node.Stock}},
		{run: node.Run{ID: "filtered", Runtime: node.Batten, Spec: filter}},
		{run: node.Run{ID: "user", Runtime: node.Batten, Namespace: "moby", Spec: []oci.SpecOpts{
			oci.WithUserID(65534), oci.WithCapabilities(nil), oci.WithNewPrivileges,
		}}},
		{run: node.Run{ID: "crun", Runtime: node.Stock, Options: &options.Options{BinaryName: node.CachingCrunHere(t, n)}, Spec: filter}},
	}
	batten := filepath.Join(node.Root(), "bin", "batten")
	args := []string{batten, "block", "--running", "--json", "--errno", "EACCES", "--name", "no-keys", "keyctl"}
	for _, c := range all {
		c.start(t, n)
		args = append(args, "--id", c.ID)
	}

	began := time.Now()
	out, err := n.Command(args...).CombinedOutput()
	t.Logf("it took %v", time.Since(began))
	var answer blockAnswer
	if jsonErr := json.Unmarshal(out, &answer); err != nil || jsonErr != nil || len(answer.Open) != 0 || answer.Closed != len(all) || len(answer.Tightened) != len(all) {
		t.Fatalf("%v, %v\n%s", err, jsonErr, out)
	}
	for _, c := range answer.Tightened {
		user := map[bool]int{true: 4}[c.ID == "user"]
		if c.Processes != 4 || c.NoNewPrivs != user || len(c.Unreached) > 0 {
			t.Errorf("%+v", c)
		}
	}
	if table := output(t, "records", n.Command(batten, "records")); strings.Count(table, ", closed to no-keys while it ran") != 3 {
		t.Errorf("batten records says\n%s", table)
	}
	bundle := "/run/containerd/io.containerd.runtime.v2.task/moby/unfiltered"
	if out := output(t, "explain", n.Command(batten, "explain", bundle)); !strings.Contains(out, "\nclosed:    to keyctl while it ran, by batten block --running (no-keys)\n") {
		t.Errorf("batten explain says\n%s", out)
	}
	for _, verb := range []string{"status", "verify"} {
		out, err := n.Command(batten, verb).CombinedOutput()
		if strings.Contains(string(out), "keyctl") {
			t.Errorf("batten %s: %v\n%s", verb, err, out)
		}
	}
	if out := output(t, "unblock", n.Command(batten, "unblock", "no-keys")); !strings.HasSuffix(out, ", and so do processes that batten block --running has closed\n") {
		t.Errorf("batten unblock says %s", out)
	}
	for _, c := range all {
		c.check(t)
	}
}

// blockAnswer is what batten block --running --json says.
type blockAnswer struct {
	Open      []json.RawMessage `json:"open"`
	Closed    int               `json:"closed"`
	Tightened []struct {
		ID         string        `json:"id"`
		Processes  int           `json:"processes"`
		NoNewPrivs int           `json:"noNewPrivs"`
		Unreached  []string      `json:"unreached"`
		Stopped    time.Duration `json:"stoppedNanoseconds"`
	} `json:"tightened"`
}

// running is a container of four processes that wait, and then say what calls come to.
type running struct {
	*node.Created
	run node.Run
	// bpf is what a call comes to that nobody blocks.
	bpf string
}

// probed are the calls, of which keyctl is blocked.
var probed = []string{"getpid", "keyctl", "i386_keyctl", "bpf"}

func (c *running) start(t *testing.T, n *node.Node) {
	t.Helper()
	c.run.Args = append([]string{"/probe", "crowd", "3", "5", "--", "await", "--", "call"}, probed...)
	var err error
	if c.Created, err = n.Start(c.run); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Remove)
	awaitChildren(t, n, c.Created, 3)
	out, err := c.Exec(append([]string{"/probe", "call"}, probed...)...)
	rest, open := strings.CutPrefix(out, calls("getpid", "OK", "keyctl", "OK", "i386_keyctl", "OK"))
	if err != nil || !open {
		t.Fatalf("%s: before the block: %v\n%s", c.ID, err, out)
	}
	c.bpf = strings.TrimSpace(strings.TrimPrefix(rest, "bpf: "))
}

// check lets the processes go on, and reads what they say; and an exec.
func (c *running) check(t *testing.T) {
	t.Helper()
	want := calls("getpid", "OK", "keyctl", "EACCES", "i386_keyctl", "EACCES", "bpf", c.bpf)
	if out, err := c.Exec(append([]string{"/probe", "call"}, probed...)...); out != want {
		t.Errorf("%s: an exec later: %v\n%s", c.ID, err, out)
	}
	if err := syscall.Kill(int(c.Task.Pid()), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := c.WaitExit(); err != nil {
		t.Error(err)
	}
	if out := c.Output(); out != strings.Repeat(want, 4) {
		t.Errorf("%s: its processes say\n%swant four times\n%s", c.ID, out, want)
	}
}

// awaitChildren waits until a container's first process has so many children.
func awaitChildren(t *testing.T, n *node.Node, c *node.Created, want int) {
	t.Helper()
	n.Eventually(30*time.Second, "its processes", func() error {
		pid := c.Task.Pid()
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		if got := len(strings.Fields(string(data))); got < want {
			return fmt.Errorf("%d of %d (%v)", got, want, err)
		}
		return nil
	})
}

// TestBlockRunningLeavesOut: what cannot be closed is named, and the exit status says so.
func TestBlockRunningLeavesOut(t *testing.T) {
	n := node.Start(t, newest)
	setPolicy(t, n, "version: 1\nabsent: Unconfined\n")
	eperm := uint(1)
	c, err := n.Start(node.Run{ID: "shut", Runtime: node.Batten, Spec: []oci.SpecOpts{node.WithSeccomp(&specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86},
		Syscalls: []specs.LinuxSyscall{{Names: []string{"seccomp"}, Action: specs.ActErrno, ErrnoRet: &eperm}},
	})}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Remove)
	out, err := n.Command(filepath.Join(node.Root(), "bin", "batten"), "block", "--running", "--id", "shut", "keyctl").CombinedOutput()
	pid := c.Task.Pid()
	for _, want := range []string{
		fmt.Sprintf("not closed: test/shut: process %d: its own filter denies seccomp\n", pid),
		"running: 1 container of 1 not proved to be closed; restart these:\n",
	} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v\n%swithout\n%s", err, out, want)
		}
	}
}

// TestBlockRunningOfEngines: the same of containers of Docker and of Podman, with runc and with crun,
// and what is started in them later.
func TestBlockRunningOfEngines(t *testing.T) {
	check := func(t *testing.T, n *node.Node, id string, exec func(probe ...string) string) {
		setPolicy(t, n, "version: 1\nabsent: Unconfined\n")
		probe := []string{"/probe", "call", "getpid", "keyctl"}
		if got, want := exec(probe...), calls("getpid", "OK", "keyctl", "OK"); got != want {
			t.Fatalf("before: got\n%swant\n%s", got, want)
		}
		out := output(t, "block", n.Command(filepath.Join(node.Root(), "bin", "batten"), "block", "--running", "--errno", "EACCES", "--id", id, "keyctl"))
		if !strings.Contains(out, "closed while it runs: ") || !strings.Contains(out, "running: 1 container, all proved to be closed") {
			t.Errorf("batten block says\n%s", out)
		}
		if got, want := exec(probe...), calls("getpid", "OK", "keyctl", "EACCES"); got != want {
			t.Errorf("blocked: got\n%swant\n%s", got, want)
		}
	}
	t.Run("Docker 20.10", func(t *testing.T) {
		n := node.Bare(t, "debian")
		n.StartDocker(node.DockerConfig{})
		output(t, "import", n.Docker("import", node.Rootfs(t), "probe"))
		id := strings.TrimSpace(output(t, "run", dockerRun(n, []string{"--detach", "--security-opt", "seccomp=unconfined"}, "/probe", "pause")))
		defer func() { output(t, "rm", n.Docker("rm", "--force", id)) }()
		check(t, n, id, func(probe ...string) string {
			return output(t, "exec", n.Docker(append([]string{"exec", id}, probe...)...))
		})
	})
	for _, runtime := range []string{"runc", "crun"} {
		t.Run("Podman and "+runtime, func(t *testing.T) {
			n := node.Bare(t, "debian")
			real := filepath.Join(n.Bin, runtime)
			output(t, "load", podman(n, real, "load", "-i", node.ImageArchive(t)))
			run := append(podmanRun(n, "--detach", "--security-opt", "seccomp=unconfined"), imageOf(n, real, t), "/probe", "pause")
			id := strings.TrimSpace(output(t, "run", podman(n, real, run...)))
			defer func() { output(t, "rm", podman(n, real, "rm", "--force", id)) }()
			check(t, n, id, func(probe ...string) string {
				return output(t, "exec", podman(n, real, append([]string{"exec", id}, probe...)...))
			})
		})
	}
}
