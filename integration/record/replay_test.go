package record

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/learn"
	"github.com/cilium/ebpf"
)

// TestReplay: a profile is judged by what runs now, with the arguments that it looks at.
func TestReplay(t *testing.T) {
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	narrow := filepath.Join(n.Dir, "narrow.json")
	text := `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "op": "SCMP_CMP_EQ", "value": %d}]}]}`
	for i, tt := range []struct {
		value, status int
		want          string
	}{{value: 0xffff, status: 0, want: narrow + " would have denied nothing of what 1 container did\n"}, {value: 0, status: 1, want: "keyctl(KEYCTL_GET_KEYRING_ID) by probe: SCMP_ACT_ERRNO(EPERM)\n"}} {
		if err := os.WriteFile(narrow, fmt.Appendf(nil, text, tt.value), 0o644); err != nil {
			t.Fatal(err)
		}
		own := id(t, i)
		rec := begin(t, n, "replay", narrow, "--id", own, "--until", "end")
		run := asks("keyctl")
		run.ID = own
		n.Output(run)
		if status := rec.end(); status != tt.status || rec.stdout.String() != tt.want {
			t.Errorf("exit status %d, want %d\n%s%s", status, tt.status, rec.stdout.String(), rec.stderr())
		}
	}
}

// TestBundle: a bundle is run without its filter, or what of it is to be judged, and stays as it is.
func TestBundle(t *testing.T) {
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	dir := n.Bundle("bundle", id(t, 1), "/probe", "call", "keyctl", "getpid")
	before, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(n.Dir, "bundle.json")
	cmd := n.Command("batten", "record", "--bundle", dir, "--to", to, "--floor", "None")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || string(out) != "keyctl: OK\ngetpid: OK\n" {
		t.Fatalf("%v: %s%s", err, out, stderr.String())
	}
	if after, err := os.ReadFile(filepath.Join(dir, "config.json")); err != nil || string(after) != string(before) {
		t.Errorf("config.json was changed (%v)", err)
	}
	r := read(t, strings.TrimSuffix(to, ".json")+".recording.json")
	if got := names(r); !got["keyctl"] || !got["getpid"] || got["clone"] || !r.Containers[0].NoNewPrivileges {
		t.Errorf("%v", got)
	}
	// The recorded profile is what the bundle needs, and one call less is not.
	if out, err := n.Command("batten", "replay", to, "--bundle", dir).CombinedOutput(); err != nil || !strings.Contains(string(out), "would have denied nothing") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestListener: without eBPF a bundle is recorded by a listener, and its profile is enough for it.
func TestListener(t *testing.T) {
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	dir := n.Bundle("heard", id(t, 1), "/probe", "call", "keyctl", "set_mempolicy")
	to := filepath.Join(n.Dir, "heard.json")
	cmd := n.Command("batten", "record", "--bundle", dir, "--listener", "--to", to, "--floor", "None")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || string(out) != "keyctl: OK\nset_mempolicy: OK\n" {
		t.Fatalf("%v: %s%s", err, out, stderr.String())
	}
	if !strings.Contains(stderr.String(), "recorded by a listener, slowly") {
		t.Errorf("it does not say so:\n%s", stderr.String())
	}
	r := read(t, strings.TrimSuffix(to, ".json")+".recording.json")
	if got := names(r); !got["keyctl"] || !got["set_mempolicy"] || got["add_key"] {
		t.Errorf("%v", got)
	}
	for _, c := range r.Containers[0].Calls {
		if seen := c.Program != learn.Unseen; c.Name == "keyctl" && !seen || c.Name == "sendmsg" && seen {
			t.Errorf("%s by %s", c.Name, c.Program)
		}
	}
	// By eBPF the same bundle makes no call that this profile denies.
	if out, err := n.Command("batten", "replay", to, "--bundle", dir).CombinedOutput(); err != nil || !strings.Contains(string(out), "would have denied nothing") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestUntil: a bundle that does not end is recorded until --until, or until the recorder is
// interrupted, and does not outlive it.
func TestUntil(t *testing.T) {
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	for i, args := range [][]string{{"--until", "3s"}, {"--until", "3s", "--listener"}, nil, {"--listener"}} {
		dir := n.Bundle(fmt.Sprintf("endless%d", i), id(t, i), "/bin/sh", "-c", "/probe call keyctl; exec sleep 1000")
		keep := filepath.Join(n.Dir, "until.json")
		cmd := n.Command(append([]string{"batten", "record", "--bundle", dir, "--to", filepath.Join(n.Dir, "made.json"), "--recording", keep, "--floor", "None"}, args...)...)
		var output strings.Builder
		cmd.Stdout, cmd.Stderr = &output, &output
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		late := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
		if len(args) < 2 {
			time.AfterFunc(3*time.Second, func() { _ = cmd.Process.Signal(syscall.SIGINT) })
		}
		if err := cmd.Wait(); err != nil || !late.Stop() {
			t.Errorf("%v: %v, in time %v\n%s", args, err, late.Stop(), output.String())
			continue
		}
		if got := names(read(t, keep)); !got["keyctl"] {
			t.Errorf("%v: %v", args, got)
		}
		if left, err := filepath.Glob(filepath.Join(os.TempDir(), "batten-record-*")); err != nil || len(left) > 0 {
			t.Errorf("%v: left %v %v", args, left, err)
		}
	}
}

// TestKilled: a recorder that is killed leaves nothing attached.
func TestKilled(t *testing.T) {
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	attachedAre := func(want int) {
		t.Helper()
		n.Eventually(5*time.Second, "programs that are attached", func() error {
			if now := attached(t); now != want {
				return fmt.Errorf("%d, want %d", now, want)
			}
			return nil
		})
	}
	attachedAre(0) // those of recorders before
	rec := begin(t, n, "record", "--id", id(t, 1))
	attachedAre(4)
	if err := rec.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	rec.end()
	attachedAre(0)
}

// attached is how many of a recorder's programs the kernel has.
func attached(t *testing.T) (count int) {
	t.Helper()
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			return count
		}
		if err != nil {
			t.Fatal(err)
		}
		id = next
		p, err := ebpf.NewProgramFromID(id)
		if err != nil {
			continue // gone
		}
		info, err := p.Info()
		_ = p.Close()
		if err == nil && strings.HasPrefix(info.Name, "batten_") {
			count++
		}
	}
}
