package shim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	task "github.com/containerd/containerd/api/runtime/task/v3"
	stockmanager "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/manager"
	stocktask "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/task"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/containerd/v2/pkg/shutdown"
	"github.com/containerd/containerd/v2/plugins"
	"github.com/containerd/plugin"
	"github.com/containerd/plugin/registry"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/shim/enforce"
)

// Main is containerd-shim-batten-v2: args is os.Args[1:]. It returns the exit
// status, or does not return where containerd's code ends the process.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	records := enforce.Records{Dir: enforce.DefaultRecords}
	shim := bootstrap{stockmanager.NewShimManager(RuntimeType), records}
	flags, err := parseStartFlags(args)
	if err == nil && flags.action == "start" {
		done, err := startOlder(ctx, shim, flags, stdin, stdout)
		switch {
		case err != nil:
			fmt.Fprintf(stderr, "%s: %v", RuntimeType, err)
			return 1
		case done:
			return 0
		}
	}
	enforcer := &enforce.Enforcer{Policies: new(policy.Store), Records: records, Now: time.Now}
	if flags.action == "" { // the server
		go enforcer.Warm() // while the daemon connects
	}
	var events drain
	registerTaskService(enforcer, &events)
	containerdshim.RunShim(ctx, shim)
	events.wait()
	return 0
}

// Garbage is collected rarely until the first container has been created, when
// it would be collected twice for nothing, and then as containerd's shim does
// it (setRuntime in pkg/shim), which stays in memory for as long as the pod.
const (
	startGC   = 300
	settledGC = 40
)

// registerTaskService is what containerd's task/plugin package does, with the
// service decorated.
func registerTaskService(enforcer *enforce.Enforcer, events *drain) {
	registry.Register(&plugin.Registration{
		Type:     plugins.TTRPCPlugin,
		ID:       "task",
		Requires: []plugin.Type{plugins.EventPlugin, plugins.InternalPlugin},
		InitFn: func(ic *plugin.InitContext) (any, error) {
			stock, err := newStockService(ic, events)
			if err != nil {
				return nil, err
			}
			enforcer.Machine = enforce.ThisMachine(enforcer.Records.Dir)
			debug.SetGCPercent(startGC)
			return NewService(stock, enforcer), nil
		},
	})
}

func newStockService(ic *plugin.InitContext, events *drain) (task.TTRPCTaskService, error) {
	publisher, err := ic.GetByID(plugins.EventPlugin, "publisher")
	if err != nil {
		return nil, err
	}
	down, err := ic.GetByID(plugins.InternalPlugin, "shutdown")
	if err != nil {
		return nil, err
	}
	return stocktask.NewTaskService(ic.Context, events.over(publisher.(containerdshim.Publisher)), down.(shutdown.Service))
}

// startOlder does "start" if a daemon before containerd 2.3 asks for it. If a
// newer one does, standard input is left as it was.
func startOlder(ctx context.Context, s containerdshim.Shim, flags startFlags, stdin io.Reader, stdout io.Writer) (done bool, err error) {
	input, err := readStart(stdin)
	if err != nil {
		return false, err
	}
	if isBootstrap(input, flags) {
		return false, giveBack(input)
	}
	return true, startLegacy(ctx, s, flags, input, os.Getenv("MAX_SHIM_VERSION"), stdout)
}

// giveBack puts what was read from standard input there again, for
// containerd's own code to read. The daemon's message fits in a pipe in every
// case but one with very large options, so the write has its own goroutine.
func giveBack(input []byte) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(w, bytes.NewReader(input))
		w.Close()
	}()
	os.Stdin = r
	return nil
}
