package bypass

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/batten-runtime/batten/integration/node"
)

const (
	withProfile = "version: 1\nprofiles: {p: {file: p.json}}\nabsent: p\n"
	strict      = `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"], "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]}`
)

// policyFile changes the policy, which is /etc/batten/policy.yaml on the node and a
// directory of the test's here.
func policyFile(change func(a *attempt, path string) error) func(*attempt) string {
	return changed("policy.yaml", change)
}

func profileFile(change func(a *attempt, path string) error) func(*attempt) string {
	return changed("p.json", change)
}

// changed changes one of the files below /etc/batten, and puts all back afterwards.
func changed(name string, change func(a *attempt, path string) error) func(*attempt) string {
	return func(a *attempt) string {
		a.write(filepath.Join(a.Etc, "p.json"), strict)
		a.policy(withProfile)
		a.later(func() {
			entries, err := os.ReadDir(a.Etc)
			a.must(err)
			for _, e := range entries {
				a.must(os.RemoveAll(filepath.Join(a.Etc, e.Name())))
			}
			a.must(os.Chmod(a.Etc, 0o755))
			a.must(os.Chown(a.Etc, 0, 0))
		})
		a.must(change(a, filepath.Join(a.Etc, name)))
		return a.run(node.Run{})
	}
}

// instead puts something else in a file's place.
func instead(put func(path string) error) func(*attempt, string) error {
	return func(_ *attempt, path string) error { return replace(path, func() error { return put(path) }) }
}

// loose is a policy of a user's, outside /etc/batten.
func loose(a *attempt) string {
	path := filepath.Join(a.Dir, "loose.yaml")
	a.write(path, "version: 1\nabsent: Unconfined\n")
	a.must(os.Chown(path, 1000, 1000))
	a.later(func() { _ = os.Remove(path) })
	return path
}

var fileRows = []row{
	{"as they should be", policyFile(func(*attempt, string) error { return nil }), "OK", "EPERM", stopped, ""},
	{"no policy", policyFile(func(_ *attempt, path string) error { return os.Remove(path) }), "OK", "EPERM", stopped, ""},
	{"no policy in a directory of others", policyFile(func(a *attempt, path string) error {
		return errors.Join(os.Remove(path), os.Chmod(a.Etc, 0o777))
	}), "OK", `refused: directory "/etc/batten": has mode 0777`, stopped, ""},
	{"an empty policy", policyFile(func(_ *attempt, path string) error { return os.Truncate(path, 0) }), "OK", "refused: the file is empty", stopped, ""},
	{"half a policy", policyFile(func(_ *attempt, path string) error { return os.Truncate(path, 30) }), "OK", "refused: not valid YAML", stopped, ""},
	{"a policy that the group may write", policyFile(func(_ *attempt, path string) error { return os.Chmod(path, 0o664) }), "OK", "refused: has mode 0664", stopped, ""},
	{"a policy of a user's", policyFile(func(_ *attempt, path string) error { return os.Chown(path, 1000, 0) }), "OK", "refused: is owned by user 1000", stopped, ""},
	{"a policy in a user's directory", policyFile(func(a *attempt, _ string) error { return os.Chown(a.Etc, 1000, 0) }), "OK", `refused: directory "/etc/batten": is owned by user 1000`, stopped, ""},
	{"a link to a user's policy", policyFile(func(a *attempt, path string) error {
		target := loose(a)
		return replace(path, func() error { return os.Symlink(target, path) })
	}), "OK", "refused: is owned by user 1000", stopped, ""},
	{"a link through a directory that anybody may write", policyFile(func(a *attempt, path string) error {
		dir := filepath.Join(a.Dir, "open")
		a.later(func() { _ = os.RemoveAll(dir) })
		a.must(os.Mkdir(dir, 0o755))
		a.write(filepath.Join(dir, "policy.yaml"), "version: 1\nabsent: Unconfined\n")
		return errors.Join(os.Chmod(dir, 0o777), replace(path, func() error { return os.Symlink(filepath.Join(dir, "policy.yaml"), path) }))
	}), "OK", "refused: has mode 0777", stopped, ""},
	{"a link to nothing", policyFile(instead(func(p string) error { return os.Symlink("/nowhere", p) })), "OK", "refused: is a symbolic link to nothing", stopped, ""},
	{"a link to itself", policyFile(instead(func(p string) error { return os.Symlink(p, p) })), "OK", "refused: policy", stopped, ""},
	{"a directory", policyFile(instead(func(p string) error { return os.Mkdir(p, 0o755) })), "OK", "refused: is not a regular file", stopped, ""},
	{"a FIFO", policyFile(instead(func(p string) error { return syscall.Mkfifo(p, 0o600) })), "OK", "refused: is not a regular file", stopped, ""},
	{"a device", policyFile(instead(func(p string) error { return os.Symlink("/dev/zero", p) })), "OK", "refused: ", stopped, ""},
	{"a file of the kernel's without a size", policyFile(instead(func(p string) error { return os.Symlink("/proc/self/environ", p) })), "OK", "refused: ", stopped, ""},
	{"a huge policy", policyFile(func(_ *attempt, path string) error {
		return os.WriteFile(path, []byte(withProfile+strings.Repeat("#", 5<<20)), 0o600)
	}), "OK", "refused: bytes are more than the 4194304 that Batten reads", stopped, ""},
	{"a sparse policy", policyFile(func(_ *attempt, path string) error { return os.Truncate(path, 1<<40) }), "OK", "refused: bytes are more than the 4194304 that Batten reads", stopped, ""},
	{"holes at the policy's end", policyFile(func(_ *attempt, path string) error { return os.Truncate(path, 1<<20) }), "OK", "refused: not valid YAML", stopped, ""},
	{"a missing profile", profileFile(func(_ *attempt, path string) error { return os.Remove(path) }), "OK", "refused: no such file or directory", stopped, ""},
	{"a profile that anybody may write", profileFile(func(_ *attempt, path string) error { return os.Chmod(path, 0o666) }), "OK", "refused: has mode 0666", stopped, ""},
	{"a profile of a user's", profileFile(func(_ *attempt, path string) error { return os.Chown(path, 1000, 0) }), "OK", "refused: is owned by user 1000", stopped, ""},
	{"a profile that is a FIFO", profileFile(instead(func(p string) error { return syscall.Mkfifo(p, 0o600) })), "OK", "refused: is not a regular file", stopped, ""},
	{"half a profile", profileFile(func(_ *attempt, path string) error { return os.Truncate(path, 60) }), "OK", "refused: not valid JSON", stopped, ""},
	{"a profile that filters nothing", profileFile(func(a *attempt, path string) error {
		a.write(path, `{"defaultAction": "SCMP_ACT_ALLOW"}`)
		return nil
	}), "OK", "refused: ", stopped, ""},
	{"a profile with a name misspelt", profileFile(func(a *attempt, path string) error {
		a.write(path, strings.Replace(strict, "keyctl", "keyctI", 1))
		return nil
	}), "OK", "OK", limit, "A profile that says less than its author meant"},
	{"no room for the record", fullRun, "OK", "refused: no space left on device", stopped, ""},
	{"the kernel's ABIs, forged by a user", forgedABIs, "OK", "EPERM", stopped, ""},
}

// fullRun fills what the records are on. Only they are: containerd's own state is
// in a directory of the test's.
func fullRun(a *attempt) string {
	out, err := a.Command("sh", "-c", "mkdir -p /run/batten && mount -t tmpfs -o size=4k tmpfs /run/batten && echo x >/run/batten/x").CombinedOutput()
	if err != nil {
		a.t.Fatalf("%v: %s", err, out)
	}
	defer func() { _ = a.Command("umount", "/run/batten").Run() }()
	return a.run(node.Run{})
}

// forgedABIs says by a user's file that the kernel runs no i386 programs, so that
// these calls would need no rules.
func forgedABIs(a *attempt) string {
	path := a.Path("/run/batten/abis.json")
	a.must(os.MkdirAll(filepath.Dir(path), 0o700))
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.t.Fatal(err)
	}
	a.write(path, `{"Probed":true}`)
	a.must(os.Chown(path, 1000, 1000))
	a.later(func() { _ = os.Remove(path) })
	return a.run(node.Run{Args: []string{"/probe", "call", "i386_keyctl"}})
}
