package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// git runs git in a clone.
func git(dir string, args ...string) (string, error) {
	out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
	if err != nil {
		return "", fmt.Errorf("git %q: %w", args, err)
	}
	return string(out), nil
}

// minor is a release of containers/common since 0.44, the first that Podman 4 has.
var minor = regexp.MustCompile(`^v0\.(4[4-9]|[5-9]\d)\.\d+$`)

// versionIn finds the version in a Go file.
var versionIn = regexp.MustCompile(`Version = "(.*)"`)

// versionAt returns the version of a tag: its own, or the one in a file.
func versionAt(clone, tag, file string) (string, error) {
	if tag != "HEAD" {
		return number(tag), nil
	}
	text, err := git(clone, "show", tag+":"+file)
	if err != nil {
		return "", err
	}
	found := versionIn.FindStringSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("%s has no version", file)
	}
	return found[1], nil
}

// podman lists releases of containers/common, which has Podman's profile.
func podman(clone string) (all []engine, err error) {
	tags, err := git(clone, "tag", "--sort=version:refname")
	if err != nil {
		return nil, err
	}
	for _, tag := range append(slices.DeleteFunc(strings.Fields(tags), func(t string) bool { return !minor.MatchString(t) }), "HEAD") {
		data, err := git(clone, "show", tag+":pkg/seccomp/seccomp.json")
		if err != nil {
			return nil, err
		}
		version, err := versionAt(clone, tag, "version/version.go")
		if err != nil {
			return nil, err
		}
		e, err := ofJSON("Podman (containers/common)", version, []byte(data))
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// crioOf lists what CRI-O makes of the same, and of the one that it has taken in
// (internal/config/seccomp/seccomp.go of 1.37).
func crioOf(common, clone string) (all []engine, err error) {
	theirs, err := podman(common)
	if err != nil {
		return nil, err
	}
	data, err := git(clone, "show", "HEAD:vendor/go.podman.io/common/pkg/seccomp/seccomp.json")
	if err != nil {
		return nil, err
	}
	version, err := versionAt(clone, "HEAD", "internal/version/version.go")
	if err != nil {
		return nil, err
	}
	own, err := ofJSON("CRI-O", version, []byte(data))
	if err != nil {
		return nil, err
	}
	for _, e := range append(theirs, own) {
		base := e.profile
		e.name = strings.Replace(e.name, "Podman", "CRI-O", 1)
		e.profile = func(arch string, bounding []string) (*specs.LinuxSeccomp, error) {
			s, err := base(arch, bounding)
			if err != nil {
				return nil, err
			}
			withoutNamespaces(s, slices.Contains(bounding, "CAP_SYS_ADMIN"))
			return s, nil
		}
		all = append(all, e)
	}
	return all, nil
}

// withoutNamespaces does what CRI-O does: clone, clone3 and unshare need CAP_SYS_ADMIN, but for
// clone without flags of namespaces.
func withoutNamespaces(s *specs.LinuxSeccomp, admin bool) {
	made := []string{"clone", "clone3", "unshare"}
	for i, r := range s.Syscalls {
		if r.Action == specs.ActAllow && len(r.Args) == 0 && slices.Contains(r.Names, "read") {
			s.Syscalls[i].Names = slices.DeleteFunc(slices.Clone(r.Names), func(name string) bool { return slices.Contains(made, name) })
		}
	}
	flags := []uint64{unix.CLONE_NEWNS, unix.CLONE_NEWUTS, unix.CLONE_NEWIPC, unix.CLONE_NEWUSER, unix.CLONE_NEWPID, unix.CLONE_NEWNET, unix.CLONE_NEWCGROUP}
	if admin {
		s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{Names: made, Action: specs.ActAllow})
	}
	all, denied := uint64(0), specs.LinuxSyscall{Names: []string{"clone"}, Action: specs.ActErrno, ErrnoRet: errnoOf(unix.EPERM)}
	for _, f := range flags {
		all |= f
		denied.Args = append(denied.Args, specs.LinuxSeccompArg{Value: f, ValueTwo: f, Op: specs.OpMaskedEqual})
	}
	s.Syscalls = append(s.Syscalls, specs.LinuxSyscall{Names: []string{"clone"}, Action: specs.ActAllow, Args: []specs.LinuxSeccompArg{{Value: all, Op: specs.OpMaskedEqual}}})
	if !admin {
		s.Syscalls = append(s.Syscalls, denied, specs.LinuxSyscall{Names: []string{"clone3"}, Action: specs.ActErrno, ErrnoRet: errnoOf(unix.ENOSYS)})
	}
}

func errnoOf(e unix.Errno) *uint {
	n := uint(e)
	return &n
}
