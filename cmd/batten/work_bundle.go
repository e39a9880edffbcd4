package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/internal/learn"
	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

func (w *work) runBundle(ctx context.Context, cmd *cobra.Command, s *learn.Session, runtime *ociRuntime) error {
	b, _, err := w.bundled(runtime)
	if err != nil {
		return err
	}
	status, err := b.Run(ctx, s)
	return w.ranBundle(cmd, b, status, err)
}

// bundled returns the bundle, and the runtime that runs it.
func (w *work) bundled(runtime *ociRuntime) (learn.Bundle, syscalls.Runtime, error) {
	by, ok, err := runtime.find()
	if err == nil && !ok {
		err = hinted{errors.New("no OCI runtime is found"), "name one by --oci-runtime"}
	}
	return learn.Bundle{Dir: w.bundle, Runtime: by.Path}, by, err
}

// ranBundle says how the container ended.
func (w *work) ranBundle(cmd *cobra.Command, b learn.Bundle, status unix.WaitStatus, err error) error {
	switch {
	case err != nil:
		return hinted{err, "the bundle must be one that " + b.Runtime + " can run"}
	case status.Signaled():
		fmt.Fprintf(cmd.ErrOrStderr(), "note: the container was ended by signal %s\n", status.Signal())
	case status.ExitStatus() > 0:
		fmt.Fprintf(cmd.ErrOrStderr(), "note: the container ended with exit status %d\n", status.ExitStatus())
	}
	return nil
}

// listen records a bundle without eBPF.
func (w *work) listen(cmd *cobra.Command, runtime *ociRuntime) (*recording.Recording, error) {
	b, by, err := w.bundled(runtime)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "note: recorded by a listener, slowly. Calls of which none can be notified count as made, by %s\n", learn.Unseen)
	ctx, stop := w.context(cmd, false)
	defer stop()
	now, status, err := b.Listen(ctx, by, abis())
	if err := w.ranBundle(cmd, b, status, err); err != nil {
		return nil, err
	}
	return now, nil
}

// abis are the architectures of programs that this machine runs.
func abis() []specs.Arch {
	out := []specs.Arch{native}
	switch have := kernel.ABIs(); {
	case have.X86:
		out = append(out, specs.ArchX86)
	case have.ARM:
		out = append(out, specs.ArchARM)
	}
	return out
}
