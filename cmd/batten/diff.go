package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/spf13/cobra"
)

func newDiff() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff [flags] A B",
		Short: "say what B newly allows and denies",
		Long: `batten diff compiles two profiles as a runtime does and compares what the filters
do: it prints each system call that ends otherwise under B than under A, with a
call that shows it. Of two recordings it compares the profiles, and says which
program made the new calls first.

` + profileWords,
		Example:     "  batten diff old.json new.json\n  batten diff --json RuntimeDefault workload.json\n  batten diff recorded-1.0.json recorded-1.1.json",
		Annotations: map[string]string{exitOne: "the two differ, or one cannot be read"},
		Args:        between(2, 2),
	}
	r := newReading(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print a JSON array")
	runtime := newOCIRuntime(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		found, err := r.diff(args[0], args[1], runtime)
		if err != nil {
			return err
		}
		changes := r.attributed(args[0], args[1], found)
		if *asJSON {
			enc := json.NewEncoder(cmd.OutOrStdout())
			enc.SetIndent("", "  ")
			err = enc.Encode(changes)
		} else {
			tellChanges(cmd.OutOrStdout(), changes)
		}
		if err == nil && len(changes) > 0 {
			return errNo
		}
		return err
	}
	return cmd
}

// diff returns what a second profile does otherwise than a first.
func (r *reading) diff(first, second string, runtime *ociRuntime) ([]filter.Change, error) {
	by, err := runtime.judge(r.cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	a, err := r.read(first, by)
	if err != nil {
		return nil, err
	}
	b, err := r.read(second, by)
	if err != nil {
		return nil, err
	}
	return filter.Diff(a, b)
}

// tellChanges prints changes in words, those of one syscall on several ABIs
// together.
func tellChanges(w io.Writer, changes []change) {
	if len(changes) == 0 {
		fmt.Fprintln(w, "equal: every call ends alike")
	}
	for _, c := range changes {
		if c.Kind == filter.Loads {
			fmt.Fprintf(w, "loaded with other flags:\n  %s: %s\n", c.Flag, c.When)
		}
	}
	for _, kind := range []struct{ kind, title string }{
		{filter.Allows, "newly allowed"}, {filter.Denies, "newly denied"}, {filter.Differs, "denied or allowed as before, but otherwise"},
	} {
		var order []string
		arches := make(map[string]string)
		for _, c := range changes {
			if c.Kind != kind.kind {
				continue
			}
			line := fmt.Sprintf("%s: %s, was %s", c.Syscall, c.Witness.Second, c.Witness.First)
			if c.When != "" {
				line += ", " + c.When
			}
			line += c.who()
			if arches[line] == "" {
				order = append(order, line)
				arches[line] = c.Arch
			} else {
				arches[line] += ", " + c.Arch
			}
		}
		if len(order) > 0 {
			fmt.Fprintf(w, "%s:\n", kind.title)
		}
		for _, line := range order {
			fmt.Fprintf(w, "  %s (%s)\n", line, arches[line])
		}
	}
}
