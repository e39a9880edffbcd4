package ociruntime

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
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
	if len(args) == 3 && args[0] == watchFlag {
		watch(records, args[1], args[2])
		return 0
	}
	w := &wrapper{call: &Call{}, args: args, records: records, stderr: stderr}
	err := w.run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ended) && ended.ExitCode() > 0:
		return ended.ExitCode() // the real runtime has said why
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
		if call.Command != "create" {
			w.watch()
		}
	case call.Command == "start" && call.ID != "":
		w.watch()
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

// delete has the runtime delete the container, and then forgets it.
func (w *wrapper) delete() error {
	cmd := exec.Command(w.config.Runtime, w.args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("batten-runc: %q: %w", w.config.Runtime, err)
	}
	return w.records.Remove(w.owner(), w.call.ID)
}
