package ociruntime

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/containerd/log"
	"golang.org/x/sys/unix"
)

// RuntimeName is what rules of the policy call batten-runc.
const RuntimeName = "batten-runc"

// wrapper is one run of batten-runc.
type wrapper struct {
	config  Config
	call    *Call
	args    []string
	records enforce.Records
	stderr  io.Writer
}

// Main is batten-runc: args is os.Args[1:]. It returns the exit status, or the
// real runtime takes the place of the process.
func Main(args []string, stderr io.Writer) int {
	log.L.Logger.SetOutput(io.Discard) // the record tells, and stderr is the engine's
	records := enforce.Records{Dir: enforce.DefaultRecords}
	if len(args) == 4 && args[0] == watchFlag {
		_ = attest(records, args[1], args[2], runtimeEnded(args[3])) // the record says so
		return 0
	}
	w := &wrapper{call: &Call{}, args: args, records: records, stderr: stderr}
	err := w.run()
	var ended exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ended):
		return int(ended)
	}
	w.complain(err)
	return 1
}

func (w *wrapper) run() (err error) {
	if w.config, err = LoadConfig(DefaultConfig); err != nil {
		w.call.glance(w.args, either) // for the log
		return fmt.Errorf("batten-runc: %w", err)
	}
	call, err := parse(w.args, dialectOf(w.config.Runtime))
	if err != nil {
		w.call.glance(w.args, dialectOf(w.config.Runtime))
		return fmt.Errorf("batten: container refused: the arguments cannot be read for certain: %w", err)
	}
	w.call = call
	switch {
	case call.Makes():
		if err := w.prepare(); err != nil {
			return err
		}
		switch {
		case call.Command == "create":
		case call.Detach && os.Getenv("LISTEN_PID") == "": // which names our process
			return w.start()
		default:
			w.watch()
		}
	case call.Command == "start" && call.ID != "":
		return w.start()
	case call.Command == "delete" && call.ID != "":
		return w.delete()
	}
	return fmt.Errorf("batten-runc: %q: %w", w.config.Runtime, unix.Exec(w.config.Runtime, append([]string{w.config.Runtime}, w.args...), os.Environ()))
}

// prepare holds the bundle to the policy.
func (w *wrapper) prepare() error {
	bundle, err := absolute(w.call.Bundle)
	if err != nil {
		return err
	}
	pidFile := w.call.PidFile
	if pidFile != "" {
		if pidFile, err = absolute(pidFile); err != nil {
			return err
		}
	}
	enforce.ProbeABIs(w.records.Dir)
	e := &enforce.Enforcer{Policies: new(policy.Store), Records: w.records, Machine: enforce.ThisMachine(w.records.Dir), Now: time.Now}
	_, err = e.Prepare(enforce.Container{
		ContainerdNamespace: w.config.containerdNamespace(w.call.Root), ID: w.call.ID, Bundle: bundle,
		Runtime: RuntimeName, Binary: w.config.Runtime, Policy: w.config.Policy,
		Restore: w.call.Command == "restore",
		Call:    &enforce.Call{Owner: w.owner(), Globals: w.call.Globals, PidFile: pidFile},
	})
	return err
}

// start has the runtime start the container, and then looks that it is filtered.
func (w *wrapper) start() error {
	if err := w.delegate(); err != nil {
		return err
	}
	return attest(w.records, w.owner(), w.call.ID, func() bool { return false })
}

// delete has the runtime delete the container, and then forgets it.
func (w *wrapper) delete() error {
	if err := w.delegate(); err != nil {
		return err
	}
	return w.records.Remove(w.owner(), w.call.ID)
}
