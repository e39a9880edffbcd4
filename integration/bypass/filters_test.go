package bypass

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var filterRows = []row{
	{name: "a 64-bit call", try: calls("keyctl"), stock: "OK", batten: "EPERM", end: stopped},
	{name: "an i386 call", try: calls("i386_keyctl"), stock: "OK", batten: "EPERM", end: stopped},
	{
		name: "an x32 number", try: calls("x32"), stock: "ENOSYS", batten: "EINTR", end: harmless,
		why: "kernels without CONFIG_X86_X32_ABI, as this one, have no such calls; the filter kills for it",
	},
	{name: "io_uring", try: calls("io_uring"), stock: "OK", batten: "EPERM", end: stopped},
	{
		name: "a socket of a denied family", try: calls("vsock"), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{
		name: "the same by socketcall(2)", try: calls("socketcall_vsock"), stock: "OK",
		batten: "OK", end: limit, why: "arguments that a call keeps in memory",
	},
	{
		name: "the same where the floor denies socketcall",
		try:  underShipped("no-socketcall", calls("socketcall_vsock")), stock: "OK",
		batten: "ENOSYS", end: stopped,
	},
	{
		name: "a socket of a denied family, with bits that the kernel does not read",
		try:  calls("high_vsock"), stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name:  "bits that the kernel does not read, under a floor in the masked form",
		try:   under(noUnix(`value: 0xffffffff, valueTwo: 1, op: SCMP_CMP_MASKED_EQ`), highBits),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "the same bits under a floor that compares them",
		try:  under(noUnix(`value: 1, op: SCMP_CMP_EQ`), highBits), stock: "OK",
		batten: `refused: floor "no-unix": syscalls[0]: the kernel reads 32 bits of argument 0 of socket`,
		end:    stopped,
	},
	{name: "a child", try: calls("child"), stock: "OK", batten: "EPERM", end: stopped},
	{name: "a thread", try: calls("thread"), stock: "OK", batten: "EPERM", end: stopped},
	{
		name: "a user namespace of its own",
		try:  calls("new_user", oci.WithAddedCapabilities([]string{"CAP_SYS_ADMIN"})), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name: "a filter that allows, by prctl(2)", try: calls("own_filter"), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name: "a filter that allows, for all threads", try: calls("own_filter_tsync"), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name: "a tracer that exchanges the number", try: calls("exchanged"), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name: "a privileged tracer that suspends filters",
		try:  calls("suspended", oci.WithPrivileged), stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "no no_new_privs", try: calls("keyctl", oci.WithNewPrivileges), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{name: "a set-uid program", try: setuid, stock: "OK", batten: "EPERM", end: stopped},
	{name: "another process's namespaces", try: func(a *attempt) string {
		pid := outsider(a)
		return a.run(node.Run{Args: []string{"/bin/busybox", "nsenter", "-t", strconv.Itoa(pid), "-m", "-p", filepath.Join(node.Cache(), "image", "probe"), "call", "keyctl"}, Spec: nodesOwn()})
	}, stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{name: "a call in an unfiltered process of the node", try: func(a *attempt) string {
		return a.run(node.Run{Args: []string{"/probe", "inject", strconv.Itoa(outsider(a))}, Spec: nodesOwn()})
	}, stock: "OK", batten: "OK", end: limit, why: "A privileged container in the node's pid namespace"},
}

// noUnix is a policy whose floor denies sockets of one family.
func noUnix(condition string) string {
	return `version: 1
floor: no-unix
profiles:
  no-unix: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [socket], action: SCMP_ACT_ERRNO, args: [{index: 0, ` + condition + `}]}]}}
`
}

// highBits makes a Unix socket, with a bit set that the kernel does not read, under a
// profile of the container's own that denies the family as it is usually written. As
// a control one of another family must be had the same way.
func highBits(a *attempt) string {
	own := func(_ context.Context, _ oci.Client, _ *containers.Container, s *oci.Spec) error {
		s.Linux.Seccomp = &specs.LinuxSeccomp{DefaultAction: specs.ActAllow, Syscalls: []specs.LinuxSyscall{{
			Names: []string{"socket"}, Action: specs.ActErrno, Args: []specs.LinuxSeccompArg{{Index: 0, Value: 1, Op: specs.OpEqualTo}},
		}}}
		return nil
	}
	came := calls("high_unix", own)(a)
	if control := calls("high_inet", own)(a); control != "OK" && !strings.HasPrefix(came, "refused: ") {
		a.t.Errorf("under %s the control ends with %s", a.runtime(), control)
	}
	return came
}

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
