package main

import (
	"errors"
	"fmt"
	"math"

	"github.com/batten-runtime/batten/policy/filter"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/spf13/cobra"
)

func newProve() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prove [flags] --floor FLOOR PROFILE...",
		Short: "prove that no profile is looser than FLOOR",
		Long: `batten prove compiles profiles as a runtime does and compares each filter with
the floor's, for all system calls and all values of their arguments. Of a profile
that is looser it prints a call that the floor stops and the profile does not.

` + profileWords,
		Example:     "  batten prove --floor RuntimeDefault profiles/*.json",
		Annotations: map[string]string{exitOne: "a profile is looser than FLOOR, or cannot be read"},
		Args:        between(1, math.MaxInt),
	}
	r := newReading(cmd)
	floor := cmd.Flags().String("floor", "", "`profile` that the others are held against")
	completeFlag(cmd, "floor", completeProfiles)
	runtime := newOCIRuntime(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if *floor == "" {
			return usageError{errors.New("--floor is missing")}
		}
		return r.prove(*floor, args, runtime)
	}
	return cmd
}

// prove says of each profile whether it is nowhere looser than the floor.
func (r *reading) prove(floor string, profiles []string, runtime *ociRuntime) error {
	by, err := runtime.judge(r.cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	base, err := r.demanded(floor, by)
	if err != nil {
		return err
	}
	refuted := false
	for _, name := range profiles {
		own, err := r.read(name, by)
		if err != nil {
			return err
		}
		w, err := filter.Subsumes(base, own)
		flag := filter.LooserFlags(base, own)
		out := r.cmd.OutOrStdout()
		switch {
		case err != nil:
			return fmt.Errorf("profile %q: %w", name, err)
		case w == nil && flag != "":
			refuted = true
			fmt.Fprintf(out, "%s: refuted: %s\n", name, otherFlag(flag))
		case w == nil:
			fmt.Fprintf(out, "%s: proved, nowhere looser than %s\n", name, floor)
		default:
			refuted = true
			fmt.Fprintf(out, "%s: refuted: %s\n", name, w)
		}
	}
	if refuted {
		return errNo
	}
	return nil
}

// otherFlag says by which flag a profile is looser than its floor.
func otherFlag(flag string) string {
	if flag == string(specs.LinuxSeccompFlagLog) {
		return flag + ": the floor is loaded with it, the profile is not"
	}
	return flag + ": the profile is loaded with it, as profiles without flags are; the floor is not"
}
