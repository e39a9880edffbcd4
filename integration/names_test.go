package integration

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// TestVerifyByNumber: of one running container, batten verify refutes a demand that
// its runtime would skip, and one on a flag that its filter is loaded with; what the
// filter holds is proved. check and explain say the same of the policy before.
func TestVerifyByNumber(t *testing.T) {
	n := node.Start(t, newest)
	batten := func(args ...string) (string, error) {
		out, err := n.Command(append([]string{filepath.Join(node.Root(), "bin", "batten")}, args...)...).CombinedOutput()
		return string(out), err
	}
	setPolicy(t, n, "version: 1\n")
	start := func(flags []specs.LinuxSeccompFlag) *node.Created {
		c, err := n.Start(node.Run{Runtime: node.Batten, Spec: []oci.SpecOpts{node.WithOldSpec, node.WithSeccomp(&specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow, Flags: flags,
			Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86, specs.ArchX32},
			Syscalls:      []specs.LinuxSyscall{{Names: []string{"keyctl", "setxattrat"}, Action: specs.ActErrno}},
		})}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Remove)
		wantAttested(t, n, c)
		return c
	}
	plain, mitigated := start(nil), start([]specs.LinuxSeccompFlag{specs.LinuxSeccompFlagLog})
	floor := func(flags, names string) string {
		return "version: 1\nfloor: f\nprofiles: {f: {inline: {defaultAction: SCMP_ACT_ALLOW, " + flags +
			"architectures: [SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32], syscalls: [{names: [" + names + "], action: SCMP_ACT_ERRNO}]}}}\n"
	}
	const proved = ": proved, 1 filter as strict as its record and today's policy"
	for _, tc := range []struct {
		name, policy string
		of           *node.Created
		want         string
	}{
		{name: "no floor", policy: "version: 1\n", of: plain, want: proved + "\n"},
		{name: "a call that the filter denies", policy: floor("", "keyctl"), of: plain, want: proved + "\n"},
		{
			name: "a call that the runtime skips", policy: floor("", "keyctl, setxattrat"), of: plain,
			want: `: today's policy would refuse it: policy "/etc/batten/policy.yaml": floor "f" denies setxattrat, but `,
		},
		{
			name: "SPEC_ALLOW", policy: floor("flags: [], ", "keyctl"), of: plain,
			want: ": looser than today's policy: its profile is loaded with SECCOMP_FILTER_FLAG_SPEC_ALLOW\n",
		},
		{
			name: "no SPEC_ALLOW", policy: floor("flags: [], ", "keyctl"), of: mitigated,
			want: proved + "; that it is loaded without SECCOMP_FILTER_FLAG_SPEC_ALLOW cannot be seen, and this kernel does not act on it\n",
		},
		{
			name: "LOG", policy: floor("flags: [SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW], ", "keyctl"), of: plain,
			want: ": looser than today's policy: SECCOMP_FILTER_FLAG_LOG is not set\n",
		},
	} {
		setPolicy(t, n, tc.policy)
		out, err := batten("verify", tc.of.ID)
		if is := strings.HasPrefix(tc.want, proved); !strings.Contains(out, tc.want) || is != (err == nil) {
			t.Errorf("%s: verify says (%v)\n%swant\n%s", tc.name, err, out, tc.want)
		}
	}
	runtime := n.Runtime()
	setPolicy(t, n, floor("", "keyctl, setxattrat"))
	if out, err := batten("check", "--oci-runtime", runtime); err == nil || !strings.Contains(out, `floor "f" denies setxattrat, but `+runtime+" with libseccomp 2.5.4 skips") {
		t.Errorf("check says (%v)\n%s", err, out)
	}
	setPolicy(t, n, floor("", "keyctl"))
	if out, err := batten("check", "--oci-runtime", runtime); err != nil {
		t.Errorf("check says (%v)\n%s", err, out)
	}
}

// TestSkippedNames: by every containerd and its runc, a profile of the policy's that the
// runtime would skip a rule of refuses the container; with a name that it knows the
// container runs, and the call fails. Stock carries the call out.
func TestSkippedNames(t *testing.T) {
	on(t, all, func(t *testing.T, n *node.Node) {
		policy := func(name string) string {
			return "version: 1\nabsent: f\nprofiles: {f: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [" + name + "], action: SCMP_ACT_ERRNO}]}}}\n"
		}
		args := []string{"/probe", "call", "setxattrat", "keyctl"}
		setPolicy(t, n, policy("setxattrat"))
		if out := n.Output(node.Run{Runtime: node.Stock, Args: args}); out != calls("setxattrat", "OK", "keyctl", "OK") {
			t.Errorf("stock: the container wrote\n%s", out)
		}
		c, err := n.Start(node.Run{Runtime: node.Batten, Args: args})
		wantError(t, "a name that runc skips", err, `profile "f" denies setxattrat, but `)
		if c != nil {
			c.Remove()
		}
		setPolicy(t, n, policy("keyctl"))
		if out := n.Output(node.Run{Runtime: node.Batten, Args: args}); out != calls("setxattrat", "OK", "keyctl", "EPERM") {
			t.Errorf("a name that runc knows: the container wrote\n%s", out)
		}
	})
}
