package bypass

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// shipped puts a policy of deploy/policies in place, with all profiles there.
func (a *attempt) shipped(name string) {
	a.t.Helper()
	dir := filepath.Join(node.Root(), "deploy/policies")
	profiles, err := filepath.Glob(filepath.Join(dir, "*.json"))
	a.must(err)
	for _, profile := range profiles {
		path := filepath.Join(a.Etc, filepath.Base(profile))
		a.later(func() { _ = os.Remove(path) })
		a.write(path, read(a.t, filepath.Join("deploy/policies", filepath.Base(profile))))
	}
	a.policy(read(a.t, "deploy/policies/"+name+".yaml"))
}

func underShipped(name string, try func(*attempt) string) func(*attempt) string {
	return func(a *attempt) string {
		a.shipped(name)
		return try(a)
	}
}

const (
	notTheFiles     = `refused: it asks for no seccomp filter, and rule "the node's files that decide over containers" says absent: Deny`
	notTheProcesses = `refused: it asks for no seccomp filter, and rule "the node's processes, with the right to trace them" says absent: Deny`
)

// mounting has a container write a policy through a mount, and says what came of it.
func mounting(source string, options ...string) func(*attempt) string {
	return underShipped("node-files", func(a *attempt) string {
		return a.run(node.Run{Args: []string{"/probe", "call", "getpid"}, Spec: []oci.SpecOpts{withMount(a.source(source), "/host", options...)}})
	})
}

// source makes the ways of the node that a mount takes: LINK is a symbolic link to
// /etc, BIND a mount of /etc/batten elsewhere, as the kubelet makes for a subPath, and
// ABOVE the directory of that.
func (a *attempt) source(name string) string {
	dir := filepath.Join(a.Dir, "ways")
	bind := filepath.Join(dir, "sub/path")
	switch name {
	case "LINK":
		a.must(os.MkdirAll(dir, 0o755))
		a.must(os.Symlink("/etc", filepath.Join(dir, "link")))
		a.later(func() { _ = os.RemoveAll(dir) })
		return filepath.Join(dir, "link/batten")
	case "BIND", "ABOVE":
		a.must(os.MkdirAll(bind, 0o755))
		if out, err := a.Command("mount", "--bind", "/etc/batten", bind).CombinedOutput(); err != nil {
			a.t.Fatalf("%v: %s", err, out)
		}
		a.later(func() {
			_ = a.Command("umount", bind).Run()
			_ = os.RemoveAll(dir)
		})
		return map[string]string{"BIND": bind, "ABOVE": filepath.Dir(bind)}[name]
	}
	return name
}

// injecting has a container make a call in a process of the node's that runs as the
// same user, without any filter.
func injecting(spec ...oci.SpecOpts) func(*attempt) string {
	return besideUser([]string{"/probe", "inject", "PID"}, spec...)
}

// besideUser has a container run a command in which PID is a process of the node's that
// runs as the same user, without any filter.
func besideUser(command []string, spec ...oci.SpecOpts) func(*attempt) string {
	return underShipped("node-files", func(a *attempt) string {
		cmd := exec.Command("sleep", "60")
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		cmd.Dir = "/"
		a.must(cmd.Start())
		a.later(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		var args []string
		for _, arg := range command {
			args = append(args, strings.ReplaceAll(arg, "PID", strconv.Itoa(cmd.Process.Pid)))
		}
		return a.run(node.Run{Args: args, Spec: append([]oci.SpecOpts{oci.WithUIDGID(65534, 65534)}, spec...)})
	})
}

// toStack is a command that writes to the stack of a process.
const toStack = `at=$(/bin/busybox grep stack /proc/PID/maps | /bin/busybox cut -d- -f1)
printf x | /bin/busybox dd of=/proc/PID/mem bs=1 seek=$((0x$at)) conv=notrunc 2>&1 >/dev/null | /bin/busybox grep -q "1+0 records out" && echo memory: OK`

// joined is the node's namespace, by the path of one of its processes.
func joined(kind specs.LinuxNamespaceType, file string) oci.SpecOpts {
	return oci.WithLinuxNamespace(specs.LinuxNamespace{Type: kind, Path: "/proc/" + strconv.Itoa(os.Getpid()) + "/ns/" + file})
}

// hookKind has a container bring one hook.
func hookKind(kind string) func(*attempt) string {
	return func(a *attempt) string {
		a.policy("version: 1\nhooks: Deny\nabsent: Unconfined\n")
		ran := filepath.Join(a.Dir, "ran")
		a.later(func() { _ = os.Remove(ran) })
		edit := a.hook(kind, "touch "+ran)
		came := a.run(node.Run{Edit: func(s []byte) []byte { return []byte(edit(string(s))) }})
		if _, err := os.Stat(ran); err == nil && a.batten {
			a.t.Errorf("the hook ran: %s", came)
		}
		return came
	}
}

var outsideRows = []row{
	{
		name: "a mount of the policy's directory", try: mounting("/etc/batten"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount of it, read-only", try: mounting("/etc/batten", "ro"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount of a directory above", try: mounting("/etc"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount of the node's root", try: mounting("/"), stock: "OK", batten: notTheFiles,
		end: stopped,
	},
	{
		name: "a mount of the policy itself", try: mounting("/etc/batten/policy.yaml"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount by detours", try: mounting("/usr/..//etc/./batten/"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount through a link", try: mounting("LINK"), stock: "OK", batten: notTheFiles,
		end: stopped,
	},
	{
		name: "a mount of another mount of it", try: mounting("BIND"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount above another mount of it", try: mounting("ABOVE"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount of the records", try: mounting("/run/batten"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a mount of containerd's socket", try: mounting("/run/containerd"), stock: "OK",
		batten: notTheFiles, end: stopped,
	},
	{
		name: "a call in a process of the same user",
		try:  injecting(oci.WithHostNamespace(specs.PIDNamespace)), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{
		name: "the same by the namespace's path", try: injecting(joined(specs.PIDNamespace, "pid")),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name:  "the memory of a process of the same user",
		try:   besideUser([]string{"/bin/sh", "-c", toStack}, oci.WithHostNamespace(specs.PIDNamespace)),
		stock: "OK", batten: "OK", end: limit,
		why: "`/proc/PID/mem` and `/proc/PID/root` of processes that run as the same user",
	},
	{
		name: "a file of root's that the policy does not list", try: mounting("/root"), stock: "OK",
		batten: "OK", end: limit,
		why: "It lists no other file by which a container becomes root on the node",
	},
	{
		name: "the node's processes, privileged",
		try:  underShipped("node-files", calls("getpid", nodesOwn()...)), stock: "OK",
		batten: notTheProcesses, end: stopped,
	},
	{
		name:  "the node's processes by a path, privileged",
		try:   underShipped("node-files", calls("getpid", oci.WithPrivileged, joined(specs.PIDNamespace, "pid"))),
		stock: "OK", batten: notTheProcesses, end: stopped,
	},
	{
		name: "a hook before the start", try: hookKind("prestart"), stock: "OK",
		batten: "refused: it brings the hook prestart /", end: stopped,
	},
	{
		name: "a hook before pivot_root", try: hookKind("createRuntime"), stock: "OK",
		batten: "refused: it brings the hook createRuntime /", end: stopped,
	},
	{
		name: "a hook after the start", try: hookKind("poststart"), stock: "OK",
		batten: "refused: it brings the hook poststart /", end: stopped,
	},
	{
		name: "a hook at the end", try: hookKind("poststop"), stock: "OK",
		batten: "refused: it brings the hook poststop /", end: stopped,
	},
	{
		name: "a hook that runs another container, denied",
		try:  under("version: 1\nhooks: Deny\n", nestedHook), stock: "OK",
		batten: "refused: it brings the hook createRuntime /", end: stopped,
	},
}

func TestOutside(t *testing.T) { try(t, outsideRows) }

// TestOutsideAllowed: beside what is stopped, the same policies let through what
// they do not speak of.
func TestOutsideAllowed(t *testing.T) {
	n := node.Start(t, engine)
	for _, tt := range []struct {
		name, policy string
		call         string
		spec         []oci.SpecOpts
		want         string
	}{
		{name: "nothing of the node's", policy: "node-files", call: "getpid", want: "OK"},
		{name: "a mount of something else", policy: "node-files", call: "getpid", spec: []oci.SpecOpts{withMount("/usr/share", "/host")}, want: "OK"},
		{name: "a mount beside", policy: "node-files", call: "getpid", spec: []oci.SpecOpts{withMount("/etc/hostname", "/host", "ro")}, want: "OK"},
		{name: "the node's processes", policy: "node-files", call: "getpid", spec: []oci.SpecOpts{oci.WithHostNamespace(specs.PIDNamespace)}, want: "OK"},
		{name: "privileged, with processes of its own", policy: "node-files", call: "getpid", spec: []oci.SpecOpts{oci.WithPrivileged}, want: "OK"},
		{name: "a 64-bit socket", policy: "no-socketcall", call: "unix", want: "OK"},
		{name: "an i386 socket", policy: "no-socketcall", call: "i386_unix", want: "OK"},
		{name: "an i386 socket of a denied family", policy: "no-socketcall", call: "i386_vsock", want: "EPERM"},
		{name: "a socket by socketcall", policy: "no-socketcall", call: "socketcall_unix", want: "ENOSYS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n.In(t)
			for _, batten := range []bool{false, true} {
				a := &attempt{Node: n, t: t, batten: batten}
				a.shipped(tt.policy)
				want := "OK"
				if batten {
					want = tt.want
				}
				if got := calls(tt.call, tt.spec...)(a); got != want {
					t.Errorf("under %s: %s, want %s", a.runtime(), got, want)
				}
				a.undoAll()
			}
		})
	}
	t.Run("hooks that are recorded", func(t *testing.T) {
		n.In(t)
		a := &attempt{Node: n, t: t, batten: true}
		defer a.undoAll()
		a.policy("version: 1\nhooks: Record\n")
		ran := filepath.Join(n.Dir, "ran")
		edit := a.hook("createRuntime", "touch "+ran)
		records := ""
		came := a.exec(node.Run{Edit: func(s []byte) []byte { return []byte(edit(string(s))) }}, func(*node.Created) {
			out, err := a.Command("batten", "records", "--json").CombinedOutput()
			a.must(err)
			records = string(out)
		})
		if _, err := os.Stat(ran); err != nil || came != "EPERM" {
			t.Errorf("%s, and the hook: %v", came, err)
		}
		if !strings.Contains(records, `"kind": "createRuntime"`) || !strings.Contains(records, `"path": "`+filepath.Join(n.Dir, "hook")+`"`) {
			t.Errorf("the records are %s", records)
		}
	})
}
