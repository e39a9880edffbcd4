package bypass

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/batten-runtime/batten/integration/node"
)

// Bundles are made here and given to an OCI runtime's command line: to runc, and to
// batten-runc in front of it.

// bundle makes one at a directory of the name, with the spec of one call.
func (a *attempt) bundle(name string) string {
	a.t.Helper()
	a.must(os.RemoveAll(filepath.Join(a.Dir, name)))
	return a.Bundle(name, "bundle", "/probe", "call", "keyctl")
}

// oci runs the bundle by the runtime's command line.
func (a *attempt) oci(dir string, env ...string) string {
	a.t.Helper()
	cmd := a.Command(map[bool]string{false: "runc", true: "batten-runc"}[a.batten],
		"--root", filepath.Join(a.Dir, "state"), "run", "--bundle", dir, "oci")
	cmd.Env = append(cmd.Env, env...)
	cmd.Dir = a.Dir
	out, err := cmd.CombinedOutput()
	// The record of a container that ran in the foreground goes when somebody asks.
	_ = a.Command("batten-runc", "--root", filepath.Join(a.Dir, "state"), "delete", "--force", "oci").Run()
	if err != nil {
		if strings.Contains(err.Error(), "137") {
			return "killed"
		}
		return "refused: " + err.Error() + ": " + string(out)
	}
	return last(string(out))
}

// spoilt makes a bundle, changes it, and runs it.
func spoilt(change func(a *attempt, dir, config string) error) func(*attempt) string {
	return func(a *attempt) string {
		dir := a.bundle("bundle")
		a.must(change(a, dir, filepath.Join(dir, "config.json")))
		return a.oci(dir)
	}
}

// dropping makes a script that edits config.json between Batten's look and runc's,
// and gives the container by its name.
func dropping(sed string) func(*attempt) string {
	return func(a *attempt) string {
		path := filepath.Join(a.Dir, "swapping-runc")
		a.write(path, `#!/bin/sh
for a in "$@"; do case $prev in --bundle) bundle=$a;; esac; prev=$a; done
[ -n "$bundle" ] && sed -i '`+sed+`' "$bundle/config.json"
exec runc "$@"
`)
		a.must(os.Chmod(path, 0o755))
		return a.run(node.Run{Options: binary(path), Args: []string{"/probe", "sleep", "3", "--", "call", "keyctl"}})
	}
}

// putBack makes a script that has runc read another profile than Batten wrote, and puts
// config.json back before anybody looks.
func putBack(sed string) func(*attempt) string {
	return func(a *attempt) string {
		path := filepath.Join(a.Dir, "restoring-runc")
		a.write(path, `#!/bin/sh
for a in "$@"; do case $prev in --bundle) bundle=$a;; esac; prev=$a; done
[ -n "$bundle" ] || exec runc "$@"
cp -p "$bundle/config.json" "$bundle/kept"
sed -i '`+sed+`' "$bundle/config.json"
runc "$@"
status=$?
mv "$bundle/kept" "$bundle/config.json"
exit $status
`)
		a.must(os.Chmod(path, 0o755))
		return a.run(node.Run{Options: binary(path), Args: []string{"/probe", "sleep", "3", "--", "call", "keyctl"}})
	}
}

const (
	// denyNothing has a profile let through what it denies; oneCallMore one call of many.
	denyNothing = `s/"defaultAction":"SCMP_ACT_ERRNO"/"defaultAction":"SCMP_ACT_ALLOW"/`
	oneCallMore = `s/"names":\["accept",/"names":["keyctl","accept",/`
)

var bundleRows = []row{
	{
		name: "as it should be", try: spoilt(func(*attempt, string, string) error { return nil }),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{name: "config.json is a link", try: spoilt(func(_ *attempt, dir, config string) error {
		if err := os.Rename(config, filepath.Join(dir, "other.json")); err != nil {
			return err
		}
		return os.Symlink("other.json", config)
	}), stock: "OK", batten: "refused: too many levels of symbolic links", end: stopped, why: ""},
	{name: "config.json is a FIFO", try: spoilt(func(a *attempt, _, config string) error {
		data, err := os.ReadFile(config)
		if err != nil {
			return err
		}
		if err := replace(config, func() error { return syscall.Mkfifo(config, 0o600) }); err != nil {
			return err
		}
		writer := exec.Command("sh", "-c", `printf %s "$1" >"$0"`, config, string(data))
		if err := writer.Start(); err != nil {
			return err
		}
		a.later(func() { _ = writer.Process.Kill(); _ = writer.Wait() })
		return nil
	}), stock: "OK", batten: "refused: not a regular file", end: stopped, why: ""},
	{name: "config.json has another name, too", try: spoilt(func(_ *attempt, dir, config string) error {
		return os.Link(config, filepath.Join(dir, "other.json"))
	}), stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{name: "config.json is above 16 MiB", try: spoilt(func(_ *attempt, _, config string) error {
		data, err := os.ReadFile(config)
		if err != nil {
			return err
		}
		return os.WriteFile(config, append(data, make17MiB()...), 0o600)
	}), stock: "OK", batten: "refused: bytes are more than the 16777216 that Batten reads", end: stopped, why: ""},
	{name: "text after the end", try: spoilt(func(_ *attempt, _, config string) error {
		return appendTo(config, `{"linux":{"seccomp":null}}`)
	}), stock: "OK", batten: "refused: not valid JSON", end: stopped, why: ""},
	{name: "no linux", try: spoilt(func(_ *attempt, _, config string) error {
		return os.WriteFile(config, []byte(`{"ociVersion":"1.0.2","root":{"path":"rootfs"},"process":{"args":["/probe","call","keyctl"],"cwd":"/","user":{}}}`), 0o600)
	}), stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{name: "linux is null", try: spoilt(func(_ *attempt, _, config string) error {
		return os.WriteFile(config, []byte(`{"ociVersion":"1.0.2","root":{"path":"rootfs"},"process":{"args":["/probe","call","keyctl"],"cwd":"/","user":{}},"linux":null}`), 0o600)
	}), stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{name: "a path of odd characters", try: func(a *attempt) string {
		return a.oci(a.bundle("odd \n\"ü\" $(true) -b x"))
	}, stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{name: "a path through a link and back", try: func(a *attempt) string {
		dir := a.bundle("bundle")
		link := filepath.Join(a.Dir, "link")
		a.must(os.Symlink(dir, link))
		a.later(func() { _ = os.Remove(link) })
		return a.oci(link + "/../bundle/./rootfs/..")
	}, stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{name: "a bundle that cannot be written", try: func(a *attempt) string {
		dir := a.bundle("bundle")
		// What is mounted here is the node's alone.
		out, err := a.Command("sh", "-c", `mkdir -p "$0.rw" && mount --bind "$0/rootfs" "$0.rw" && mount --bind "$0" "$0" &&
mount -o remount,ro,bind "$0" && mount --bind "$0.rw" "$0/rootfs"`, dir).CombinedOutput()
		if err != nil {
			a.t.Fatalf("%v: %s", err, out)
		}
		defer func() { _ = a.Command("umount", dir+"/rootfs", dir, dir+".rw").Run() }()
		return a.oci(dir)
	}, stock: "OK", batten: "refused: read-only file system", end: stopped, why: ""},
	{
		name: "config.json is swapped for one without a filter",
		try:  dropping(`s/"seccomp":/"sandcomp":/`), stock: "OK", batten: "killed", end: stopped,
	},
	{
		name: "config.json is swapped for a looser one", try: dropping(denyNothing), stock: "OK",
		batten: "refused: its filter is looser than its profile", end: stopped,
	},
	{
		name: "config.json is swapped and put back", try: putBack(denyNothing), stock: "OK",
		batten: "refused: its filter is looser than its profile: socket(0x26,", end: stopped,
	},
	{
		name: "config.json is swapped for one with one call more", try: putBack(oneCallMore),
		stock: "OK", batten: "refused: its filter is looser than its profile: keyctl(",
		end: stopped,
	},
	{
		name: "config.json is swapped for the same", try: putBack(`s/x/x/`), stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{
		name:  "a hook rewrites config.json",
		try:   hooked("createRuntime", `sed -i s/seccomp/sandcomp/ "$BUNDLE/config.json"`),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name: "a hook rewrites runc's state, for an exec",
		try:  hookedExec(`s/"seccomp":{/"sandcomp":{/`), stock: "OK", batten: "killed", end: stopped,
	},
	{
		name: "a hook loosens runc's state, for an exec",
		try:  hookedExec(`s/"name":"accept"/"name":"keyctl"/`), stock: "OK", batten: "killed",
		end: stopped,
	},
	{
		name: "a hook runs another container", try: nestedHook, stock: "OK", batten: "OK",
		end: limit, why: "Hooks run as root on the node",
	},
}

func make17MiB() []byte { return []byte(strings.Repeat(" ", 17<<20)) }

func replace(path string, put func() error) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return put()
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}
