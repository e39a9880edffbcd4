package bypass

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// podEnv is an environment that a pod's author gives a container.
func podEnv(env ...string) func(*attempt) string {
	return calls("keyctl", oci.WithEnv(env))
}

// callerEnv is one that the caller of an OCI runtime gives it.
func callerEnv(env func(a *attempt) []string) func(*attempt) string {
	return func(a *attempt) string { return a.oci(a.bundle("bundle"), env(a)...) }
}

func always(env ...string) func(*attempt) []string {
	return func(*attempt) []string { return env }
}

var environmentRows = []row{
	{name: "a pod's PATH", try: podEnv("PATH=/evil"), stock: "OK", batten: "EPERM", end: stopped},
	{
		name: "a pod's LD_PRELOAD and LD_LIBRARY_PATH",
		try:  podEnv("LD_PRELOAD=/evil.so", "LD_LIBRARY_PATH=/evil"), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{
		name: "a pod's BATTEN_ variables",
		try:  podEnv("BATTEN_POLICY=/evil.yaml", "BATTEN_MODE=Audit", "BATTEN=off"), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name: "a pod's HOME",
		try:  podEnv("HOME=/evil", "XDG_RUNTIME_DIR=/evil", "XDG_CONFIG_HOME=/evil"), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name:  "a pod's variables of runc",
		try:   podEnv("_LIBCONTAINER_INITTYPE=setns", "_LIBCONTAINER_LOGLEVEL=0", "_LIBCONTAINER_SECCOMP=off", "GODEBUG=seccomp=0"),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name:  "a pod's file of settings",
		try:   calls("keyctl", oci.WithProcessCwd("/tmp"), withMount("/etc/hostname", "/etc/batten/policy.yaml", "ro")),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name:  "a pod in the node's network and IPC",
		try:   calls("keyctl", oci.WithHostNamespace(specs.IPCNamespace), oci.WithHostNamespace(specs.UTSNamespace)),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{name: "a pod that changes the policy through a mount", try: func(a *attempt) string {
		// What it writes holds for the next container.
		_ = a.run(node.Run{Args: []string{"/bin/sh", "-c", "printf 'version: 1\\nabsent: Unconfined\\n' >/host/policy.yaml"}, Spec: []oci.SpecOpts{withMount("/etc/batten", "/host")}})
		return a.run(node.Run{})
	}, stock: "OK", batten: "OK", end: limit, why: "A container that mounts the node's files for writing, as root"},
	{name: "the caller's PATH", try: callerEnv(func(a *attempt) []string {
		dir := filepath.Join(a.Dir, "evil")
		a.must(os.MkdirAll(dir, 0o755))
		a.write(filepath.Join(dir, "runc"), "#!/bin/sh\necho evil >&2; exit 1\n")
		a.must(os.Chmod(filepath.Join(dir, "runc"), 0o755))
		return []string{"PATH=" + a.Bin + ":" + dir}
	}), stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{
		name:  "the caller's LD_PRELOAD",
		try:   callerEnv(always("LD_PRELOAD=/nowhere/evil.so", "LD_AUDIT=/nowhere/evil.so")),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name:  "the caller's BATTEN_ variables",
		try:   callerEnv(always("BATTEN_POLICY=/evil.yaml", "BATTEN_CONFIG=/evil.toml", "BATTEN_RUNTIME=/bin/true")),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name:  "the caller's HOME and XDG directories",
		try:   callerEnv(always("HOME=/evil", "XDG_RUNTIME_DIR=/evil", "XDG_CONFIG_HOME=/evil")),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name:  "the caller's GODEBUG",
		try:   callerEnv(always("GODEBUG=execerrdot=0,panicnil=1", "GOTRACEBACK=crash", "GOMAXPROCS=1", "GOGC=off")),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "the caller's listening sockets",
		try:  callerEnv(always("LISTEN_PID=1", "LISTEN_FDS=1")), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{
		name: "a runtime in a privileged container", try: nestedRuntime, stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{name: "a chroot in a privileged container", try: func(a *attempt) string {
		return a.run(node.Run{Args: []string{"/bin/busybox", "chroot", "/", "/bin/busybox", "unshare", "-m", "-p", "-f", "/probe", "call", "keyctl"}, Spec: []oci.SpecOpts{oci.WithPrivileged}})
	}, stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{
		name: "an engine that calls no runtime of the node's", try: nestedElsewhere, stock: "OK",
		batten: "OK", end: limit,
		why: "An engine that starts its containers by something else than this node's shim or `batten-runc`",
	},
}

// nestedRuntime has runc make a container from inside a container that has come
// out of all its namespaces: of what it was given only the filter is left.
func nestedRuntime(a *attempt) string {
	dir := a.bundle("inner")
	anchor := strings.Split(a.Path("/"), "/")[2] // a process of the node's
	return a.run(node.Run{
		Args: []string{"/bin/busybox", "nsenter", "-t", anchor, "-m", "-p", a.Runtime(), "--root", filepath.Join(a.Dir, "inner-state"), "run", "--no-new-keyring", "--no-pivot", "--bundle", dir, "inner"},
		Spec: append(nodesOwn(), oci.WithAllDevicesAllowed),
	})
}

// nestedElsewhere calls the node's runc, as an engine with a runtime of its own does.
func nestedElsewhere(a *attempt) string {
	a.batten = false
	return a.oci(a.bundle("bundle"))
}
