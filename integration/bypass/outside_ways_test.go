package bypass

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

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
