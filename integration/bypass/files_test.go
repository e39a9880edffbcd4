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
	{
		name: "as they should be", try: policyFile(func(*attempt, string) error { return nil }),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{
		name:  "no policy",
		try:   policyFile(func(_ *attempt, path string) error { return os.Remove(path) }),
		stock: "OK", batten: "EPERM", end: stopped,
	},
	{name: "no policy in a directory of others", try: policyFile(func(a *attempt, path string) error {
		return errors.Join(os.Remove(path), os.Chmod(a.Etc, 0o777))
	}), stock: "OK", batten: `refused: directory "/etc/batten": has mode 0777`, end: stopped, why: ""},
	{
		name:  "an empty policy",
		try:   policyFile(func(_ *attempt, path string) error { return os.Truncate(path, 0) }),
		stock: "OK", batten: "refused: the file is empty", end: stopped,
	},
	{
		name:  "half a policy",
		try:   policyFile(func(_ *attempt, path string) error { return os.Truncate(path, 30) }),
		stock: "OK", batten: "refused: not valid YAML", end: stopped,
	},
	{
		name:  "a policy that the group may write",
		try:   policyFile(func(_ *attempt, path string) error { return os.Chmod(path, 0o664) }),
		stock: "OK", batten: "refused: has mode 0664", end: stopped,
	},
	{
		name:  "a policy of a user's",
		try:   policyFile(func(_ *attempt, path string) error { return os.Chown(path, 1000, 0) }),
		stock: "OK", batten: "refused: is owned by user 1000", end: stopped,
	},
	{
		name:  "a policy in a user's directory",
		try:   policyFile(func(a *attempt, _ string) error { return os.Chown(a.Etc, 1000, 0) }),
		stock: "OK", batten: `refused: directory "/etc/batten": is owned by user 1000`,
		end: stopped,
	},
	{name: "a link to a user's policy", try: policyFile(func(a *attempt, path string) error {
		target := loose(a)
		return replace(path, func() error { return os.Symlink(target, path) })
	}), stock: "OK", batten: "refused: is owned by user 1000", end: stopped, why: ""},
	{name: "a link through a directory that anybody may write", try: policyFile(func(a *attempt, path string) error {
		dir := filepath.Join(a.Dir, "open")
		a.later(func() { _ = os.RemoveAll(dir) })
		a.must(os.Mkdir(dir, 0o755))
		a.write(filepath.Join(dir, "policy.yaml"), "version: 1\nabsent: Unconfined\n")
		return errors.Join(os.Chmod(dir, 0o777), replace(path, func() error { return os.Symlink(filepath.Join(dir, "policy.yaml"), path) }))
	}), stock: "OK", batten: "refused: has mode 0777", end: stopped, why: ""},
	{
		name:  "a link to nothing",
		try:   policyFile(instead(func(p string) error { return os.Symlink("/nowhere", p) })),
		stock: "OK", batten: "refused: is a symbolic link to nothing", end: stopped,
	},
	{
		name: "a link to itself",
		try:  policyFile(instead(func(p string) error { return os.Symlink(p, p) })), stock: "OK",
		batten: "refused: policy", end: stopped,
	},
	{
		name: "a directory",
		try:  policyFile(instead(func(p string) error { return os.Mkdir(p, 0o755) })), stock: "OK",
		batten: "refused: is not a regular file", end: stopped,
	},
	{
		name:  "a FIFO",
		try:   policyFile(instead(func(p string) error { return syscall.Mkfifo(p, 0o600) })),
		stock: "OK", batten: "refused: is not a regular file", end: stopped,
	},
	{
		name:  "a device",
		try:   policyFile(instead(func(p string) error { return os.Symlink("/dev/zero", p) })),
		stock: "OK", batten: "refused: ", end: stopped,
	},
	{
		name:  "a file of the kernel's without a size",
		try:   policyFile(instead(func(p string) error { return os.Symlink("/proc/self/environ", p) })),
		stock: "OK", batten: "refused: ", end: stopped,
	},
	{name: "a huge policy", try: policyFile(func(_ *attempt, path string) error {
		return os.WriteFile(path, []byte(withProfile+strings.Repeat("#", 5<<20)), 0o600)
	}), stock: "OK", batten: "refused: bytes are more than the 4194304 that Batten reads", end: stopped, why: ""},
	{
		name:  "a sparse policy",
		try:   policyFile(func(_ *attempt, path string) error { return os.Truncate(path, 1<<40) }),
		stock: "OK", batten: "refused: bytes are more than the 4194304 that Batten reads",
		end: stopped,
	},
	{
		name:  "holes at the policy's end",
		try:   policyFile(func(_ *attempt, path string) error { return os.Truncate(path, 1<<20) }),
		stock: "OK", batten: "refused: not valid YAML", end: stopped,
	},
	{
		name:  "a missing profile",
		try:   profileFile(func(_ *attempt, path string) error { return os.Remove(path) }),
		stock: "OK", batten: "refused: no such file or directory", end: stopped,
	},
	{
		name:  "a profile that anybody may write",
		try:   profileFile(func(_ *attempt, path string) error { return os.Chmod(path, 0o666) }),
		stock: "OK", batten: "refused: has mode 0666", end: stopped,
	},
	{
		name:  "a profile of a user's",
		try:   profileFile(func(_ *attempt, path string) error { return os.Chown(path, 1000, 0) }),
		stock: "OK", batten: "refused: is owned by user 1000", end: stopped,
	},
	{
		name:  "a profile that is a FIFO",
		try:   profileFile(instead(func(p string) error { return syscall.Mkfifo(p, 0o600) })),
		stock: "OK", batten: "refused: is not a regular file", end: stopped,
	},
	{
		name:  "half a profile",
		try:   profileFile(func(_ *attempt, path string) error { return os.Truncate(path, 60) }),
		stock: "OK", batten: "refused: not valid JSON", end: stopped,
	},
	{name: "a profile that filters nothing", try: profileFile(func(a *attempt, path string) error {
		a.write(path, `{"defaultAction": "SCMP_ACT_ALLOW"}`)
		return nil
	}), stock: "OK", batten: "refused: ", end: stopped, why: ""},
	{name: "a profile with a name misspelt", try: profileFile(func(a *attempt, path string) error {
		a.write(path, strings.Replace(strict, "keyctl", "keyctI", 1))
		return nil
	}), stock: "OK", batten: "OK", end: limit, why: "A profile that says less than its author meant"},
	{
		name: "no room for the record", try: fullRun, stock: "OK",
		batten: "refused: no space left on device", end: stopped,
	},
	{
		name: "the kernel's ABIs, forged by a user", try: forgedABIs, stock: "OK", batten: "EPERM",
		end: stopped,
	},
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
