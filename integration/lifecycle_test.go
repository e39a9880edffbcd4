package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// TestStockDuties: what the stock shim does goes on working.
func TestStockDuties(t *testing.T) {
	on(t, all, func(t *testing.T, n *node.Node) {
		ctx, cancel := context.WithCancel(namespaces.WithNamespace(context.Background(), node.Namespace))
		defer cancel()
		seen := watchEvents(ctx, n)
		c, err := n.Start(node.Run{Runtime: node.Batten})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			name string
			do   func() error
		}{
			{name: "pause", do: func() error { return c.Task.Pause(ctx) }},
			{name: "paused", do: func() error { return wantStatus(ctx, c, containerd.Paused) }},
			{name: "resume", do: func() error { return c.Task.Resume(ctx) }},
			{name: "running", do: func() error { return wantStatus(ctx, c, containerd.Running) }},
			{name: "stats", do: func() error { _, err := c.Task.Metrics(ctx); return err }},
			{name: "pids", do: func() error { _, err := c.Task.Pids(ctx); return err }},
			{name: "update", do: func() error {
				limit := int64(64 << 20)
				return c.Task.Update(ctx, containerd.WithResources(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit}}))
			}},
			{name: "updated", do: func() error { return wantMemoryLimit(n, c, "67108864") }},
			{name: "exec", do: func() error { _, err := c.Exec("/bin/true"); return err }},
			{name: "a second create of the id", do: func() error {
				container, err := n.Client.LoadContainer(ctx, c.ID)
				if err != nil {
					return err
				}
				if _, err := container.NewTask(ctx, cio.NullIO); !errdefs.IsAlreadyExists(err) {
					return fmt.Errorf("got %v, want that it exists", err)
				}
				return wantStatus(ctx, c, containerd.Running)
			}},
			{name: "term", do: func() error { return c.Task.Kill(ctx, syscall.SIGTERM) }},
		} {
			if err := step.do(); err != nil {
				t.Errorf("%s: %v", step.name, err)
			}
		}
		if exit, err := c.WaitExit(); exit != 0 || err != nil {
			t.Errorf("exit status %d (%v), want 0 after SIGTERM", exit, err)
		}
		c.Remove()
		for _, topic := range []string{"/tasks/create", "/tasks/start", "/tasks/paused", "/tasks/resumed", "/tasks/exec-added", "/tasks/exec-started", "/tasks/exit", "/tasks/delete"} {
			n.Eventually(5*time.Second, "event "+topic, func() error {
				if _, ok := seen.Load(topic); !ok {
					return fmt.Errorf("not seen")
				}
				return nil
			})
		}
	})
}

func watchEvents(ctx context.Context, n *node.Node) *sync.Map {
	var seen sync.Map
	events, _ := n.Client.Subscribe(ctx)
	go func() {
		for e := range events {
			seen.Store(e.Topic, true)
		}
	}()
	return &seen
}

func wantStatus(ctx context.Context, c *node.Created, want containerd.ProcessStatus) error {
	status, err := c.Task.Status(ctx)
	if err == nil && status.Status != want {
		err = fmt.Errorf("status %s, want %s", status.Status, want)
	}
	return err
}

func wantMemoryLimit(n *node.Node, c *node.Created, want string) error {
	path := filepath.Join("/sys/fs/cgroup/memory", filepath.Base(n.Dir), c.ID, "memory.limit_in_bytes")
	got, err := os.ReadFile(path)
	if os.IsNotExist(err) { // cgroup v2
		got, err = os.ReadFile(filepath.Join("/sys/fs/cgroup", filepath.Base(n.Dir), c.ID, "memory.max"))
	}
	if err == nil && strings.TrimSpace(string(got)) != want {
		err = fmt.Errorf("limit %s, want %s", got, want)
	}
	return err
}

// TestManyAtOnce creates 50 containers at the same time: each is filtered and
// none is killed for being slow.
func TestManyAtOnce(t *testing.T) {
	on(t, full, func(t *testing.T, n *node.Node) {
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				c, err := n.Start(node.Run{Runtime: node.Batten, Spec: []oci.SpecOpts{oci.WithNewPrivileges}})
				if err != nil {
					t.Error(err)
					return
				}
				n.WaitForExec(c)
				wantSeccomp(t, c.ID, c, "2", "1")
				c.Remove()
			})
		}
		wg.Wait()
	})
}

// TestSeveralInOneShim: containers of one group share a shim, and each is
// decided for itself.
func TestSeveralInOneShim(t *testing.T) {
	on(t, all, func(t *testing.T, n *node.Node) {
		setPolicy(t, n, "version: 1\nrules: [{name: marked, match: {annotations: {test/deny: [\"yes\"]}}, absent: Deny}]\n")
		group := map[string]string{"io.containerd.runc.v2.group": "g1"}
		marked := map[string]string{"io.containerd.runc.v2.group": "g1", "test/deny": "yes"}
		first, err := n.Start(node.Run{Runtime: node.Batten, Spec: []oci.SpecOpts{oci.WithAnnotations(group)}})
		if err != nil {
			t.Fatal(err)
		}
		denied, err := n.Create(node.Run{Runtime: node.Batten, Spec: []oci.SpecOpts{oci.WithAnnotations(marked)}})
		wantError(t, "the marked one", err, `rule "marked" says absent: Deny`)
		second, err := n.Start(node.Run{Runtime: node.Batten, Spec: []oci.SpecOpts{oci.WithAnnotations(group)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []*node.Created{first, second} {
			n.WaitForExec(c)
			wantSeccomp(t, c.ID, c, "2", "1")
		}
		if a, b := first.ShimPid(), second.ShimPid(); a != b {
			t.Errorf("shims %d and %d, want one", a, b)
		}
		for _, c := range []*node.Created{first, denied, second} {
			c.Remove()
		}
	})
}

// TestBootstrapFlags: -v and -info answer as the stock shim does.
func TestBootstrapFlags(t *testing.T) {
	n := node.Start(t, newest)
	out, err := n.Command("containerd-shim-batten-v2", "-v").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "containerd-shim-batten-v2:\n  Version: ") {
		t.Errorf("-v: %s (%v)", out, err)
	}
	for _, tt := range []struct{ shim, name string }{{shim: "containerd-shim-runc-v2", name: node.Stock}, {shim: "containerd-shim-batten-v2", name: node.Batten}} {
		cmd := n.Command(tt.shim, "-info")
		cmd.Stdin = strings.NewReader("")
		out, err := cmd.Output()
		if err != nil || !strings.Contains(string(out), tt.name) || !strings.Contains(string(out), "SCMP_ACT_ERRNO") {
			t.Errorf("%s -info lacks its name or runc's features: %q (%v)", tt.shim, out, err)
		}
	}
	info, err := n.Client.RuntimeInfo(context.Background(), node.Batten, tomlOptions(`Policy = "/etc/batten/x.yaml"`))
	if err != nil || info.Features == nil || info.Annotations["io.batten.version"] == "" {
		t.Errorf("the daemon's view: %+v (%v)", info, err)
	}
	cmd := exec.Command(node.Shim(t), "-id", "x", "start")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "namespace is empty") {
		t.Errorf("start without a namespace: %s (%v)", out, err)
	}
}
