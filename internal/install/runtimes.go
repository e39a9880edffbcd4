package install

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
)

// Users of Docker may name any runtime whose shim is on the PATH of dockerd's containerd:
// io.containerd.runc.v2, another name that ends alike, and runc, which is built in and
// which dockerd lets nobody redefine. containerd looks a shim up on PATH by the last two
// words of the name. So a directory in front of that PATH holds Batten's shim under the
// names of containerd's own.

// shimsDir holds links to Batten's shim.
const shimsDir = names.Config + "/shims"

// shimLinks are what containerd's runc shims are called. Batten's shim serves as the first
// and refuses to start by the others (shim.Main).
var shimLinks = []string{"containerd-shim-runc-v2", "containerd-shim-runc-v1", "containerd-shim"}

// unitFiles are drop-ins of the services whose PATH counts: containerd's, and dockerd's
// where it starts a containerd of its own.
var unitFiles = []string{
	"/etc/systemd/system/containerd.service.d/batten.conf", "/etc/systemd/system/docker.service.d/batten.conf",
}

// unitPath is what systemd gives services (systemd.exec(5)), without the directory in front.
const unitPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const unitComment = "# Written by batten install --all-runtimes; batten uninstall --docker removes it."

// runtimesTarget returns the target of the n-th file of AllRuntimes.
func runtimesTarget(n int) string { return fmt.Sprintf("docker-runtimes-%d", n) }

// AllRuntimes plans what brings every runtime that a user of Docker can name to Batten.
// The plans go with Docker's, whose Options have AllRuntimes set.
func AllRuntimes(o Options) (plans []*Plan, err error) {
	add := func(file, kind, content string) error {
		p := &Plan{Target: runtimesTarget(len(plans)), File: file, After: []byte(content), state: &state{Kind: kind}}
		if p.Before, p.now, err = base(o.Dir, p.Target, file, kind, takeOutAll); err != nil {
			return err
		}
		if p.Before != nil {
			return fmt.Errorf("%s is there already and not Batten's; remove it", file)
		}
		plans = append(plans, p)
		return nil
	}
	for _, name := range shimLinks {
		if err := add(filepath.Join(shimsDir, name), kindLink, filepath.Join(o.Bin, names.Shim)); err != nil {
			return nil, err
		}
	}
	for _, file := range unitFiles {
		text := fmt.Sprintf("%s\n[Service]\nEnvironment=PATH=%s:%s\n", unitComment, shimsDir, unitPath)
		if err := add(file, "", text); err != nil {
			return nil, err
		}
	}
	last := plans[len(plans)-1]
	last.Notes = append(last.Notes,
		"systemctl daemon-reload, and restart containerd and dockerd for it to take effect; then batten status says which runtimes users can still name",
		"without systemd put "+shimsDir+" in front of the PATH of containerd",
		"from then on ctr, nerdctl and CRI's handlers of type "+runcType+" go through Batten, too")
	return plans, nil
}

// UndoAll returns the plans that take out of a target all that was installed there: Undo's
// and, for Docker, those that take out what AllRuntimes put in, for Podman what KeepRuntime did, and for CRI-O what CRIORuntime did.
func UndoAll(dir, target string) (plans []*Plan, err error) {
	targets := []string{target}
	if target == "docker" {
		for n := range len(shimLinks) + len(unitFiles) {
			targets = append(targets, runtimesTarget(n))
		}
	}
	switch target {
	case "podman":
		targets = append(targets, podmanRuntime)
	case "crio":
		targets = append(targets, crioRuntime)
	}
	for _, target := range targets {
		p, err := Undo(dir, target)
		if errors.Is(err, ErrNotInstalled) {
			continue
		}
		if err != nil {
			return nil, err
		}
		plans = append(plans, p)
	}
	if last := len(plans) - 1; last > 0 && target == "docker" { // files of AllRuntimes
		plans[last].Notes = append(plans[last].Notes, "systemctl daemon-reload, and restart containerd and dockerd for it to take effect")
	}
	if len(plans) == 0 {
		return nil, fmt.Errorf("%s: %w", target, ErrNotInstalled)
	}
	return plans, nil
}

// takeOutAll removes a file that only Batten writes, whoever has changed it.
func takeOutAll(*state, []byte) ([]byte, error) { return nil, nil }

// OtherRuntimes returns the names of the runtimes whose shims are on a PATH and are not
// Batten's, as containerd looks them up. root is where the PATH's directories are seen.
func OtherRuntimes(root, path string) (runtimes []string) {
	seen := map[string]bool{}
	for _, dir := range filepath.SplitList(path) {
		shims, _ := filepath.Glob(filepath.Join(root, dir, "containerd-shim-*-*"))
		for _, shim := range shims {
			name := filepath.Base(shim)
			if seen[name] {
				continue // hidden by one in front
			}
			seen[name] = true
			if filepath.Base(resolve(root, shim)) != names.Shim {
				words := strings.Split(strings.TrimPrefix(name, "containerd-shim-"), "-")
				runtimes = append(runtimes, "io.containerd."+strings.Join(words, "."))
			}
		}
	}
	return runtimes
}

// ServesRunc reports whether the shim that a PATH has for io.containerd.runc.v2 is Batten's.
func ServesRunc(root, path string) bool {
	for _, dir := range filepath.SplitList(path) {
		shim := filepath.Join(root, dir, shimLinks[0])
		if _, err := os.Lstat(shim); err == nil {
			return filepath.Base(resolve(root, shim)) == names.Shim
		}
	}
	return false
}

// resolve follows links as a process does whose root directory is root.
func resolve(root, path string) string {
	for range 40 { // as the kernel does (path_resolution(7))
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if filepath.IsAbs(target) {
			path = filepath.Join(root, target)
		} else {
			path = filepath.Join(filepath.Dir(path), target)
		}
	}
	return path
}

// RunsWrapper reports whether the program that a PATH has for a command is batten-runc, and
// returns its file as it is seen from root.
func RunsWrapper(root, path, command string) (file string, wrapper bool) {
	dirs := filepath.SplitList(path)
	if strings.Contains(command, "/") {
		dirs = []string{filepath.Dir(command)}
	}
	for _, dir := range dirs {
		file := filepath.Join(dir, filepath.Base(command))
		real := resolve(root, filepath.Join(root, file))
		if executable(real) {
			return file, filepath.Base(real) == names.Wrapper
		}
	}
	return "", false
}
