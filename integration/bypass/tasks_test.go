package bypass

import (
	"context"
	"sync"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var ctx = namespaces.WithNamespace(context.Background(), node.Namespace)

// during runs a container and says what an exec gets after do.
func during(do func(a *attempt, c *node.Created)) func(*attempt) string {
	return func(a *attempt) string {
		return a.exec(node.Run{}, func(c *node.Created) { do(a, c) })
	}
}

var taskRows = []row{
	{
		name: "exec", try: during(func(*attempt, *node.Created) {}), stock: "OK", batten: "EPERM",
		end: stopped,
	},
	{name: "exec with all capabilities and no no_new_privs", try: execAs(func(p *specs.Process) {
		p.NoNewPrivileges = false
		all := []string{"CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_BPF", "CAP_PERFMON"}
		p.Capabilities = &specs.LinuxCapabilities{Bounding: all, Effective: all, Permitted: all, Inheritable: all}
	}), stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{name: "exec as another user with another environment", try: execAs(func(p *specs.Process) {
		p.User.UID, p.User.GID, p.Env = 1000, 1000, []string{"LD_PRELOAD=/x", "PATH="}
	}), stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{name: "pause and resume", try: during(func(a *attempt, c *node.Created) {
		a.must(c.Task.Pause(ctx))
		a.must(c.Task.Resume(ctx))
	}), stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{name: "update", try: during(func(a *attempt, c *node.Created) {
		limit := int64(64 << 20)
		a.must(c.Task.Update(ctx,
			containerd.WithResources(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit}}),
			containerd.WithAnnotations(map[string]string{"run.oci.seccomp_bpf_data": "BgAAAAAA/38="})))
	}), stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{name: "checkpoint, and run on", try: during(func(_ *attempt, c *node.Created) {
		_, _ = c.Task.Checkpoint(ctx) // criu may be missing
	}), stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{name: "restore", try: func(a *attempt) string {
		c, err := a.Restore(node.Run{Runtime: a.runtime()})
		if err == nil {
			err = c.StartTask()
		}
		c.Remove()
		if err == nil {
			return "OK"
		}
		return "refused: " + err.Error()
	}, stock: "refused: ", batten: "refused: restore is Deny: a checkpoint brings a seccomp filter of its own", end: harmless, why: "a checkpoint of a real process is not to be had on each kernel: the runtime has none to restore; that Batten refuses before it is shown"},
	{name: "a second create of an id", try: during(func(a *attempt, c *node.Created) {
		container, err := a.Client.LoadContainer(ctx, c.ID)
		a.must(err)
		if _, err := container.NewTask(ctx, cio.NullIO); err == nil {
			a.t.Error("there are two of one id")
		}
	}), stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{
		name: "create while the one before is deleted", try: createDuringDelete, stock: "OK",
		batten: "EPERM", end: stopped,
	},
	{name: "exec when the shim has been killed", try: func(a *attempt) string {
		return a.exec(node.Run{}, func(c *node.Created) {
			shim := c.ShimPid()
			a.must(syscall.Kill(shim, syscall.SIGKILL))
			a.Eventually(10*time.Second, "the shim's end", func() error { return node.Gone(shim) })
		})
	}, stock: "refused: ", batten: "refused: ", end: harmless, why: "a container without a shim takes no exec"},
	{name: "the policy is loosened between create and start", try: func(a *attempt) string {
		c, err := a.Create(node.Run{Runtime: a.runtime(), Args: []string{"/probe", "call", "keyctl"}})
		a.must(err)
		a.policy("version: 1\nabsent: Unconfined\n")
		a.must(c.Task.Start(ctx))
		_, err = c.WaitExit()
		a.must(err)
		c.Remove()
		return last(c.Output())
	}, stock: "OK", batten: "EPERM", end: stopped, why: ""},
	{name: "the policy is tightened after the start", try: under("version: 1\nabsent: Unconfined\n", during(func(a *attempt, _ *node.Created) {
		a.policy("version: 1\nabsent: Deny\n")
	})), stock: "OK", batten: "OK", end: limit, why: "A policy holds from the next container on"},
	{name: "runc exec past the shim", try: func(a *attempt) string {
		c, err := a.Start(node.Run{Runtime: a.runtime()})
		a.must(err)
		defer c.Remove()
		a.WaitForExec(c)
		out, err := a.Command("runc", "--root", "/run/containerd/runc/"+node.Namespace, "exec", "--cap", "CAP_SYS_ADMIN", c.ID, "/probe", "call", "keyctl").CombinedOutput()
		if err != nil {
			return "refused: " + string(out)
		}
		return last(string(out))
	}, stock: "OK", batten: "EPERM", end: stopped, why: ""},
}

func execAs(change func(*specs.Process)) func(*attempt) string {
	return func(a *attempt) string {
		c, err := a.Start(node.Run{Runtime: a.runtime()})
		a.must(err)
		defer c.Remove()
		a.WaitForExec(c)
		out, err := c.ExecAs(change, "/probe", "call", "keyctl")
		if err != nil {
			return "refused: " + err.Error()
		}
		return last(out)
	}
}

// createDuringDelete creates tasks of one container from several sides while they
// are deleted, and says what the loosest of them got.
func createDuringDelete(a *attempt) string {
	c, err := a.NewContainer(node.Run{Runtime: a.runtime(), Args: []string{"/probe", "call", "keyctl", "--", "pause"}})
	a.must(err)
	container, err := a.Client.LoadContainer(ctx, c.ID)
	a.must(err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	loosest, began := "", 0
	for range 3 {
		wg.Go(func() {
			for range 6 {
				task, err := container.NewTask(ctx, cio.NullIO)
				if err != nil {
					continue // another is faster
				}
				if task.Start(ctx) == nil {
					time.Sleep(50 * time.Millisecond)
					mode, _ := node.Seccomp(int(task.Pid()))
					mu.Lock()
					if came := map[string]string{"0": "OK", "2": "EPERM"}[mode]; came != "" && loosest != "OK" {
						loosest = came
					}
					began++
					mu.Unlock()
				}
				_, _ = task.Delete(ctx, containerd.WithProcessKill)
			}
		})
	}
	wg.Wait()
	c.Remove()
	if began < 3 {
		a.t.Errorf("only %d tasks started", began)
	}
	return loosest
}
