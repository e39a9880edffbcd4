package shim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/syscalls"
	"github.com/batten-runtime/batten/shim/enforce"
	task "github.com/containerd/containerd/api/runtime/task/v3"
	stockmanager "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/manager"
	stocktask "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2/task"
	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
	"github.com/containerd/containerd/v2/pkg/shutdown"
	"github.com/containerd/containerd/v2/plugins"
	"github.com/containerd/plugin"
	"github.com/containerd/plugin/registry"
)

// Main is containerd-shim-batten-v2: args is os.Args[1:]. It returns the exit
// status, or does not return where containerd's code ends the process.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if err := checkName(os.Args[0]); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	records := record.Store{Dir: names.Records}
	shim := bootstrap{stockmanager.NewShimManager(names.RuntimeType), records}
	flags, err := parseStartFlags(args)
	if err == nil && flags.action == "start" {
		done, err := startOlder(ctx, shim, flags, stdin, stdout)
		switch {
		case err != nil:
			fmt.Fprintf(stderr, "%s: %v", names.RuntimeType, err)
			return 1
		case done:
			return 0
		}
	}
	enforcer := &enforce.Enforcer{Policies: new(policy.Store), Records: records, Listen: listenHere(records), Now: time.Now}
	if flags.action == "" { // the server
		go enforcer.Warm() // while the daemon connects
	}
	var events drain
	registerTaskService(enforcer, &events)
	containerdshim.RunShim(ctx, shim)
	events.wait()
	return 0
}

// Until the first container has been created, garbage is collected rarely: two collections
// would free nothing. After that it is collected as in containerd's shim (setRuntime in
// pkg/shim), because the shim stays in memory as long as the pod.
const (
	startGC   = 300
	settledGC = 40
)

// registerTaskService does what containerd's task/plugin package does, with Batten's service
// in front of containerd's.
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
			enforcer.Machine = kernel.Machine(enforcer.Records.Dir)
			enforcer.Runtime = func(binary string) syscalls.Runtime {
				return kernel.Runtime(enforcer.Records.Dir, binary)
			}
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

// startOlder handles "start" if the daemon is older than containerd 2.3. For a newer one it
// leaves standard input as it was, and containerd's code handles it.
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

// stdinRead is the standard input that has been read. If nothing held it, Go would close it some time, and
// another file would have its number.
var stdinRead []*os.File

// giveBack puts input back into standard input, for containerd's own code to read. A message
// with very large options does not fit in a pipe, so a goroutine writes it.
func giveBack(input []byte) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(w, bytes.NewReader(input))
		w.Close()
	}()
	stdinRead = append(stdinRead, os.Stdin)
	os.Stdin = r
	return nil
}

// listenHere returns the function that makes listeners in this process, which stays as long as
// its containers.
func listenHere(records record.Store) enforce.ListenFunc {
	return func(l enforce.Listening) (enforce.Listener, error) { return l.Listen(records) }
}
