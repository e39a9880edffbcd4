package runc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/syscalls"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/containerd/log"
	"golang.org/x/sys/unix"
)

// wrapper is one run of batten-runc.
type wrapper struct {
	caller  caller
	config  Config
	call    *Call
	args    []string
	records record.Store
	stderr  io.Writer
}

// Main runs batten-runc; arg0 is the name that it is called by, os.Args[0], and args the
// others. It returns the exit status, unless the real runtime takes the place of the process.
func Main(arg0 string, args []string, stderr io.Writer) int {
	log.L.Logger.SetOutput(io.Discard) // the record has it, and the engine reads stderr
	records := record.Store{Dir: names.Records}
	if len(args) == 4 && args[0] == watchFlag {
		_ = attest(records, args[1], args[2], runtimeEnded(args[3])) // the record has the error
		return 0
	}
	if len(args) == 3 {
		switch args[0] {
		case detachFlag:
			return reply(func() error { return detach(args[1:]) })
		case listenFlag:
			return reply(func() error { return serve(records) })
		}
	}
	w := &wrapper{call: &Call{}, args: args, records: records, stderr: stderr}
	err := w.run(arg0)
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

func (w *wrapper) run(arg0 string) (err error) {
	if w.caller, err = callerOf(arg0); err == nil {
		w.config, err = w.caller.config()
	}
	if err != nil {
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
	namespace := w.config.containerdNamespace(w.call.Root)
	if namespace != "" && w.caller.engine != "" {
		return fmt.Errorf("batten: container refused: --root %s is containerd's, and %s is the name for %s: have containerd call it %s", w.call.Root, names.WrapperCRIO, w.caller.engine, names.Wrapper)
	}
	kernel.Probe(w.records.Dir, w.config.Runtime)
	e := &enforce.Enforcer{
		Policies: new(policy.Store), Records: w.records, Listen: listen, Now: time.Now,
		Machine: kernel.Machine(w.records.Dir),
		Runtime: func(binary string) syscalls.Runtime { return kernel.Runtime(w.records.Dir, binary) },
	}
	_, err = e.Prepare(enforce.Container{
		ContainerdNamespace: namespace, Engine: w.caller.engine, ID: w.call.ID, Bundle: bundle,
		Runtime: names.Wrapper, Binary: w.config.Runtime, Policy: w.config.Policy,
		Restore: w.call.Command == "restore",
		Call:    &record.Call{Owner: w.owner(), Globals: w.call.Globals, PidFile: pidFile},
	})
	return err
}

// start has the runtime start the container, and then checks that it is filtered. It does not
// start a container whose filter is known to be looser than its profile.
func (w *wrapper) start() error {
	if w.call.Command == "start" {
		if err := compareCreated(w.records, w.owner(), w.call.ID); err != nil {
			return err
		}
	}
	if err := w.delegate(); err != nil {
		return err
	}
	return attest(w.records, w.owner(), w.call.ID, func() bool { return false })
}

// delete has the runtime delete the container, then ends its listener and removes its record.
func (w *wrapper) delete() error {
	if err := w.delegate(); err != nil {
		return err
	}
	if socket, err := w.records.Socket(w.owner(), w.call.ID); err == nil {
		_ = endListener(socket, true)
	}
	return w.records.Remove(w.owner(), w.call.ID)
}
