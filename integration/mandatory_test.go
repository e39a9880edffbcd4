package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/containerd/containerd/v2/pkg/oci"
)

// noVsock is a drop-in that closes sockets of one family to every container.
const noVsock = `version: 1
mandatoryFloors: [no-vsock]
profiles:
  no-vsock:
    inline:
      defaultAction: SCMP_ACT_ALLOW
      architectures: [SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32]
      syscalls:
      - names: [socket]
        action: SCMP_ACT_ERRNO
        errnoRet: 95
        args: [{index: 0, op: SCMP_CMP_MASKED_EQ, value: 0xffffffff, valueTwo: 40}]
`

// TestMandatory: a drop-in closes a call to every container, whatever it asks for and the policy
// says, by each ABI; the control is the same container without the drop-in. batten verify proves
// it, and a drop-in that is taken away opens the call to the next container.
func TestMandatory(t *testing.T) {
	n := node.Start(t, newest)
	dropIn := filepath.Join(n.Etc, "policy.d", "50-vsock.yaml")
	other := filepath.Join(n.Etc, "other.yaml")
	writeFile(t, other, "version: 1\nabsent: Unconfined\n")
	for _, tt := range []struct {
		name, policy string
		run          node.Run
	}{
		{name: "unconfined", policy: "version: 1\nabsent: Unconfined\n"},
		{name: "privileged", policy: "version: 1\nabsent: Unconfined\n", run: node.Run{Spec: []oci.SpecOpts{oci.WithPrivileged}}},
		{name: "its own filter", policy: "version: 1\n", run: node.Run{Spec: []oci.SpecOpts{node.WithSeccomp(denyKeys())}}},
		{name: "a rule without floor", policy: "version: 1\nfloor: RuntimeDefault\nrules:\n- {name: free, match: {}, absent: Unconfined, floor: None}\n"},
		{name: "an audit", policy: "version: 1\nmode: Audit\n"},
		{name: "a silent audit", policy: "version: 1\nmode: Audit\ndenials: Silent\n"},
		{name: "an audit of its own filter", policy: "version: 1\npresent: RuntimeDefault\nmode: Audit\n", run: node.Run{Spec: []oci.SpecOpts{node.WithSeccomp(denyKeys())}}},
		{name: "a handler's own policy", policy: "version: 1\n", run: node.Run{Options: tomlOptions(`Policy = "` + other + `"`)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			setPolicy(t, n, tt.policy)
			tt.run.Runtime, tt.run.Args = node.Batten, []string{"/probe", "call", "getpid", "vsock", "high_vsock", "socketcall_vsock"}
			if err := os.RemoveAll(dropIn); err != nil {
				t.Fatal(err)
			}
			open := calls("getpid", "OK", "vsock", "OK", "high_vsock", "OK", "socketcall_vsock", "OK")
			if got := n.Output(tt.run); got != open {
				t.Errorf("without the drop-in: got\n%swant\n%s", got, open)
			}
			writeFile(t, dropIn, noVsock)
			closed := calls("getpid", "OK", "vsock", "EOPNOTSUPP", "high_vsock", "EOPNOTSUPP", "socketcall_vsock", "EOPNOTSUPP")
			if got := n.Output(tt.run); got != closed {
				t.Errorf("with the drop-in: got\n%swant\n%s", got, closed)
			}
			tt.run.Args = nil
			proveMandatory(t, n, tt.run, dropIn)
		})
	}
}

// TestMandatoryOfEngines: the same by the command line of Docker and of Podman, whose flags ask for
// no filter.
func TestMandatoryOfEngines(t *testing.T) {
	probe := []string{"/probe", "call", "getpid", "vsock", "socketcall_vsock"}
	open := calls("getpid", "OK", "vsock", "OK", "socketcall_vsock", "OK")
	closed := calls("getpid", "OK", "vsock", "EOPNOTSUPP", "socketcall_vsock", "EOPNOTSUPP")
	check := func(t *testing.T, n *node.Node, privileged string, job func(flags ...string) string) {
		setPolicy(t, n, "version: 1\nabsent: Unconfined\n")
		dropIn := filepath.Join(n.Etc, "policy.d", "50-vsock.yaml")
		for _, flags := range [][]string{{"--security-opt", "seccomp=unconfined"}, {privileged, "--security-opt", "seccomp=unconfined"}} {
			if got := job(flags...); got != open {
				t.Errorf("%q, without the drop-in: got\n%swant\n%s", flags, got, open)
			}
			writeFile(t, dropIn, noVsock)
			if got := job(flags...); got != closed {
				t.Errorf("%q, with the drop-in: got\n%swant\n%s", flags, got, closed)
			}
			if err := os.Remove(dropIn); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Run("Docker 20.10", func(t *testing.T) {
		n := node.Bare(t, "debian")
		wrapped(t, n, n.Runtime())
		n.StartDocker(node.DockerConfig{"runtimes": map[string]any{"batten": map[string]any{"path": filepath.Join(n.Bin, "batten-runc")}}})
		output(t, "import", n.Docker("import", node.Rootfs(t), "probe"))
		check(t, n, "--cap-add=SYS_ADMIN", func(flags ...string) string {
			return output(t, "run", dockerRun(n, append([]string{"--runtime", "batten"}, flags...), probe...))
		})
	})
	t.Run("Podman and crun", func(t *testing.T) {
		n := node.Bare(t, "debian")
		wrapper := filepath.Join(n.Bin, "batten-runc")
		wrapped(t, n, filepath.Join(n.Bin, "crun"))
		output(t, "load", podman(n, wrapper, "load", "-i", node.ImageArchive(t)))
		image := imageOf(n, wrapper, t)
		check(t, n, "--privileged", func(flags ...string) string {
			run := append(podmanRun(n, append(flags, "--rm")...), image)
			return output(t, "run", podman(n, wrapper, append(run, probe...)...))
		})
	})
}

// proveMandatory has a container wait, and looks at its record, at what the kernel holds, and at
// what batten verify says.
func proveMandatory(t *testing.T, n *node.Node, run node.Run, dropIn string) {
	t.Helper()
	c, err := n.Start(run)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Remove()
	rec := wantAttested(t, n, c)
	if rec.Mandatory != "no-vsock" || rec.MandatoryDigest == "" || len(rec.DropIns) != 1 || rec.DropIns[0].Path != "/etc/batten/policy.d/50-vsock.yaml" {
		t.Errorf("the record has %q, %q, %v", rec.Mandatory, rec.MandatoryDigest, rec.DropIns)
	}
	if rec.Attestation.State != record.Filtered || rec.Attestation.Compared == "" {
		t.Errorf("attested %+v", rec.Attestation)
	}
	batten := filepath.Join(node.Root(), "bin", "batten")
	out, err := n.Command(batten, "verify", c.ID).CombinedOutput()
	audit := strings.HasPrefix(string(rec.Mode), "Audit")
	if !audit && (err != nil || !strings.Contains(string(out), "proved")) {
		t.Errorf("batten verify: %s (%v)", out, err)
	}
	if err := os.Rename(dropIn, dropIn+".off"); err != nil {
		t.Fatal(err)
	}
	strict := strings.ReplaceAll(noVsock, "no-vsock", "no-keyctl")
	strict = strings.ReplaceAll(strict, "names: [socket]", "names: [getppid]")
	strict = strings.Split(strict, "        args:")[0]
	writeFile(t, dropIn, strict)
	out, err = n.Command(batten, "verify", c.ID).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "looser than the node's mandatory floors: ") && !strings.Contains(string(out), "looser than today's policy") {
		t.Errorf("batten verify under another drop-in: %s (%v)", out, err)
	}
}
