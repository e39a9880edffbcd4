package observe

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// TestKillable: where the runtime has WAIT_KILLABLE_RECV, a call that the listener has received
// is not interrupted by signals, which come every 2 ms here to a handler that restarts nothing;
// SIGKILL ends it. The listener is stopped until that happens between the call and its answer. runc
// with libseccomp 2.5 is the control: there nothing is asked for, and a call that waits is interrupted.
func TestKillable(t *testing.T) {
	n := node.Bare(t, "debian")
	setPolicy(t, n, policies["counted"])
	for name, runtime := range runtimes(n) {
		t.Run(name, func(t *testing.T) {
			n.In(t)
			c := &called{Node: n, t: t, id: name, runtime: runtime}
			bundle := c.bundle("/probe", "alarmed", "keyctl", "1000000000", "0")
			file := filepath.Join(n.Dir, name+".pid")
			c.must("create", "--bundle", bundle, "--pid-file", file, c.id)
			asked := slices.Contains(flagsOf(t, bundle), specs.LinuxSeccompFlagWaitKillableRecv)
			if asked != (name == "crun") {
				t.Errorf("WAIT_KILLABLE_RECV is in config.json: %t", asked)
			}
			listener, pid := wantListeners(n, 1)[0], number(t, file)
			c.must("start", c.id)
			n.Eventually(patience, "the program to run", func() error { return node.LeftRuntime(pid) })

			uninterrupted := false
			for range 1000 {
				time.Sleep(time.Millisecond)
				signal(t, listener, syscall.SIGSTOP)
				if uninterrupted = waits(pid, 100*time.Millisecond); uninterrupted {
					break
				}
				signal(t, listener, syscall.SIGCONT)
			}
			if uninterrupted != asked {
				t.Errorf("a call waits without being interrupted: %t, want %t", uninterrupted, asked)
			}
			signal(t, pid, syscall.SIGKILL)
			n.Eventually(patience, "SIGKILL to end it", func() error { return ended(pid) })
			signal(t, listener, syscall.SIGCONT)
			c.must("delete", "--force", c.id)
			wantNoListener(t, n)
		})
	}
}

// flagsOf returns linux.seccomp.flags of a bundle.
func flagsOf(t *testing.T, bundle string) []specs.LinuxSeccompFlag {
	t.Helper()
	var config specs.Spec
	data, err := os.ReadFile(filepath.Join(bundle, "config.json"))
	if err == nil {
		err = json.Unmarshal(data, &config)
	}
	if err != nil {
		t.Fatal(err)
	}
	return config.Linux.Seccomp.Flags
}

// number returns the number in a file.
func number(t *testing.T, file string) int {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func signal(t *testing.T, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatalf("process %d: %v", pid, err)
	}
}

// waits reports whether a process is in a wait that only SIGKILL ends (D in proc(5)), from
// 5 milliseconds after now for as long as is given.
func waits(pid int, long time.Duration) bool {
	time.Sleep(5 * time.Millisecond)
	for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if stateOf(pid) != "D" {
			return false
		}
	}
	return true
}

// stateOf returns the letter of a process's state, empty if it is gone.
func stateOf(pid int) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(data), ") ")
	return rest[:min(1, len(rest))]
}

// ended is an error as long as a process runs.
func ended(pid int) error {
	if s := stateOf(pid); s != "" && s != "Z" {
		return fmt.Errorf("it is in state %s", s)
	}
	return nil
}
