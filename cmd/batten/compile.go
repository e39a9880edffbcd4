package main

import (
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/policy/filter"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/spf13/cobra"
)

func newCompile() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compile [flags] PROFILE",
		Short: "compile a profile as runc does, and say what comes of it",
		Long: `batten compile has libseccomp compile a profile as runc does, and prints the
number of instructions, how many of them each architecture takes, and the flags.

` + profileWords,
		Example:     "  batten compile RuntimeDefault\n  batten compile --asm workload.json",
		Annotations: map[string]string{exitOne: "libseccomp or the kernel refuses the profile"},
		Args:        between(1, 1),
	}
	r := newReading(cmd)
	asm := cmd.Flags().Bool("asm", false, "print the instructions, with names")
	cmd.RunE = func(_ *cobra.Command, args []string) error { return r.compile(args[0], *asm) }
	return cmd
}

// compile says what libseccomp makes of a profile.
func (r *reading) compile(name string, asm bool) error {
	s, p, err := r.program(name)
	if err != nil {
		return err
	}
	w := r.cmd.OutOrStdout()
	if linked := filter.Linked(); slices.Contains(s.Flags, specs.LinuxSeccompFlagWaitKillableRecv) && linked.Older("2.6.0") {
		fmt.Fprintf(w, "runc with libseccomp %s refuses SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV; crun takes it\n", linked.Libseccomp)
	}
	fmt.Fprintf(w, "%d instructions of at most %d; flags %#x\n", len(p.Instructions), filter.MaxInstructions, p.Flags)
	for _, arch := range s.Architectures {
		without := *s
		without.Architectures = slices.DeleteFunc(slices.Clone(s.Architectures), func(a specs.Arch) bool { return a == arch })
		if q, err := filter.Compile(&without); err == nil && len(q.Instructions) < len(p.Instructions) {
			fmt.Fprintf(w, "  %d for %s\n", len(p.Instructions)-len(q.Instructions), arch)
		}
	}
	if asm {
		for _, line := range p.Disassemble() {
			fmt.Fprintln(w, line)
		}
	}
	if len(p.Instructions) > filter.MaxInstructions {
		fmt.Fprintln(w, "the kernel refuses it")
		return errNo
	}
	return nil
}
