package shim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
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
		input, err := readStart(stdin)
		if err != nil {
			fmt.Fprintf(stderr, "%s: %v", RuntimeType, err)
			return 1
		}
		if !isBootstrap(input, flags) {
			if err := startLegacy(ctx, shim, flags, input, os.Getenv("MAX_SHIM_VERSION"), stdout); err != nil {
				fmt.Fprintf(stderr, "%s: %v", RuntimeType, err)
				return 1
			}
			return 0
		}
		if err := giveBack(input); err != nil {
			fmt.Fprintf(stderr, "%s: %v", RuntimeType, err)
			return 1
		}
	}
	var events drain
	registerTaskService(records, &events)
	containerdshim.RunShim(ctx, shim)
	events.wait()
	return 0
}

// registerTaskService is what containerd's task/plugin package does, with the
// service decorated.
func registerTaskService(records enforce.Records, events *drain) {
	registry.Register(&plugin.Registration{
		Type:     plugins.TTRPCPlugin,
		ID:       "task",
		Requires: []plugin.Type{plugins.EventPlugin, plugins.InternalPlugin},
		InitFn: func(ic *plugin.InitContext) (any, error) {
			stock, err := newStockService(ic, events)
			if err != nil {
				return nil, err
			}
			enforcer := &enforce.Enforcer{
				Policies: new(policy.Store),
				Records:  records,
				Machine:  enforce.ThisMachine(records.Dir),
				Now:      time.Now,
			}
			go enforcer.Warm() // while the daemon connects
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
