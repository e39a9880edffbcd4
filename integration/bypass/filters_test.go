package bypass

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var filterRows = []row{
	{"a 64-bit call", calls("keyctl"), "OK", "EPERM", stopped, ""},
	{"an i386 call", calls("i386_keyctl"), "OK", "EPERM", stopped, ""},
	{"an x32 number", calls("x32"), "ENOSYS", "EINTR", harmless, "kernels without CONFIG_X86_X32_ABI, as this one, have no such calls; the filter kills for it"},
	{"io_uring", calls("io_uring"), "OK", "EPERM", stopped, ""},
	{"a socket of a denied family", calls("vsock"), "OK", "EPERM", stopped, ""},
	{"the same by socketcall(2)", calls("socketcall_vsock"), "OK", "OK", limit, "arguments that a call keeps in memory"},
	{"the same where the floor denies socketcall", under(noSocketcall, calls("socketcall_vsock")), "OK", "ENOSYS", stopped, ""},
	{"a child", calls("child"), "OK", "EPERM", stopped, ""},
	{"a thread", calls("thread"), "OK", "EPERM", stopped, ""},
	{"a user namespace of its own", calls("new_user", oci.WithAddedCapabilities([]string{"CAP_SYS_ADMIN"})), "OK", "EPERM", stopped, ""},
	{"a filter that allows, by prctl(2)", calls("own_filter"), "OK", "EPERM", stopped, ""},
	{"a filter that allows, for all threads", calls("own_filter_tsync"), "OK", "EPERM", stopped, ""},
	{"a tracer that exchanges the number", calls("exchanged"), "OK", "EPERM", stopped, ""},
	{"a privileged tracer that suspends filters", calls("suspended", oci.WithPrivileged), "OK", "EPERM", stopped, ""},
	{"no no_new_privs", calls("keyctl", oci.WithNewPrivileges), "OK", "EPERM", stopped, ""},
	{"a set-uid program", setuid, "OK", "EPERM", stopped, ""},
	{"another process's namespaces", func(a *attempt) string {
		pid := outsider(a)
		return a.run(node.Run{Args: []string{"/bin/busybox", "nsenter", "-t", strconv.Itoa(pid), "-m", "-p", filepath.Join(node.Cache(), "image", "probe"), "call", "keyctl"}, Spec: nodesOwn()})
	}, "OK", "EPERM", stopped, ""},
	{"a call in an unfiltered process of the node", func(a *attempt) string {
		return a.run(node.Run{Args: []string{"/probe", "inject", strconv.Itoa(outsider(a))}, Spec: nodesOwn()})
	}, "OK", "OK", limit, "A privileged container in the node's pid namespace"},
}

const noSocketcall = `version: 1
absent: RuntimeDefault
floor: no-socketcall
profiles:
  no-socketcall: {inline: {defaultAction: SCMP_ACT_ALLOW, architectures: [SCMP_ARCH_X86_64, SCMP_ARCH_X86], syscalls: [{names: [socketcall], action: SCMP_ACT_ERRNO, errnoRet: 38}]}}
`

// nodesOwn is a privileged container in the node's pid namespace.
func nodesOwn() []oci.SpecOpts {
	return []oci.SpecOpts{oci.WithPrivileged, oci.WithHostNamespace(specs.PIDNamespace)}
}

// outsider is a process of the node that is not filtered.
func outsider(a *attempt) int {
	cmd := exec.Command("sleep", "60")
	a.must(cmd.Start())
	a.later(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd.Process.Pid
}

// setuid has a user's process execute a program of root's with the set-uid bit.
func setuid(a *attempt) string {
	program := filepath.Join(a.Dir, "setuid-probe")
	data, err := os.ReadFile(filepath.Join(node.Cache(), "image", "probe"))
	a.must(err)
	a.must(os.WriteFile(program, data, 0o755))
	a.must(os.Chmod(program, 0o4755))
	return a.run(node.Run{
		Args: []string{"/setuid-probe", "call", "keyctl"},
		Spec: []oci.SpecOpts{oci.WithNewPrivileges, oci.WithUserID(65534), withMount(program, "/setuid-probe", "ro")},
	})
}

// withMount mounts a directory of the node's.
func withMount(source, destination string, options ...string) oci.SpecOpts {
	return func(_ context.Context, _ oci.Client, _ *containers.Container, s *oci.Spec) error {
		s.Mounts = append(s.Mounts, specs.Mount{Source: source, Destination: destination, Type: "bind", Options: append([]string{"rbind"}, options...)})
		return nil
	}
}
