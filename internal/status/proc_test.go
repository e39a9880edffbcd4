package status_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/procfs"
)

// process is one directory of a /proc. Namespaces are its own if empty.
type process struct {
	pid, parent      int
	exe, cwd, cgroup string
	args             []string
	state            string // S if empty
	seccomp, filters int
	mounts, pids     string
	root             string // the host's if empty
	threads          []int  // the seccomp modes of its other threads
	start            int
}

const hostMounts, hostRoot = "mnt:[1]", "8:1 /"

// init1 is the host's first process.
var init1 = process{pid: 1, exe: "/sbin/init", mounts: hostMounts, pids: procfs.HostPidNamespace}

func proc(t *testing.T, processes ...process) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range append([]process{init1}, processes...) {
		d := filepath.Join(dir, fmt.Sprint(p.pid))
		p.state = cmp.Or(p.state, "S (sleeping)")
		files := map[string]string{
			"status":    statusText(p.state, p.parent, 1+len(p.threads), p.seccomp, p.filters),
			"stat":      fmt.Sprintf("%d (x) S%s %d\n", p.pid, strings.Repeat(" 0", 18), p.start),
			"cmdline":   strings.Join(append([]string{p.exe}, p.args...), "\x00") + "\x00",
			"cgroup":    "0::/\n5:memory:" + p.cgroup + "\n",
			"mountinfo": "36 35 " + cmp.Or(p.root, hostRoot) + " / rw - ext4 /dev/x rw\n",
		}
		for k, mode := range p.threads {
			files[fmt.Sprintf("task/%d/status", p.pid*100+k)] = statusText("S (sleeping)", p.parent, 2, mode, mode/2)
			files[fmt.Sprintf("task/%d/cgroup", p.pid*100+k)] = files["cgroup"]
		}
		if p.state[0] == 'Z' {
			delete(files, "cgroup")
		}
		for name, text := range files {
			write(t, filepath.Join(d, name), text)
		}
		links := map[string]string{
			"exe": p.exe, "cwd": cmp.Or(p.cwd, "/"), "ns/user": "user:[1]",
			"ns/mnt": cmp.Or(p.mounts, fmt.Sprintf("mnt:[%d]", p.pid)),
			"ns/pid": cmp.Or(p.pids, fmt.Sprintf("pid:[%d]", p.pid)),
		}
		for name, target := range links {
			under := d
			if p.state[0] == 'Z' && len(p.threads) > 0 {
				under = filepath.Join(d, "task", fmt.Sprint(p.pid*100))
			}
			path := filepath.Join(under, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, path); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func statusText(state string, parent, threads, seccomp, filters int) string {
	return fmt.Sprintf("Name:\tx\nState:\t%s\nPPid:\t%d\nThreads:\t%d\nSeccomp:\t%d\nSeccomp_filters:\t%d\n", state, parent, threads, seccomp, filters)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
