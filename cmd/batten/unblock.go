package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"

	"github.com/batten-runtime/batten/internal/block"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/tighten"
	"github.com/batten-runtime/batten/policy"
	"github.com/spf13/cobra"
)

func newUnblock() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "unblock [flags] NAME...",
		Short: "take back what batten block has closed",
		Long: `batten unblock removes drop-ins that batten block has written, by the names that
batten block --list shows. Containers that start from then on can make the calls again,
as far as the policy lets them. Those that run keep what they have.`,
		Example:     "  batten unblock block-socket-af-alg",
		Annotations: map[string]string{exitOne: "there is no such block", exitThree: "not run as root on the node", files: policy.DropInDir},
		Args:        between(1, math.MaxInt),
	}
	cmd.Flags().StringVar(&dir, "dir", policy.DropInDir, "`directory` of the drop-ins")
	completeFiles(cmd, nil, "dir")
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) (out []cobra.Completion, _ cobra.ShellCompDirective) {
		list, _ := block.List(dir)
		for _, l := range list {
			out = append(out, cobra.CompletionWithDesc(l.Name, l.Asked))
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		dir = filepath.Clean(dir)
		if dir == policy.DropInDir {
			if err := needsRoot("only root can remove drop-ins"); err != nil {
				return err
			}
		}
		for _, name := range args {
			if err := unblock(cmd, dir, name); err != nil {
				return err
			}
		}
		return nil
	}
	return cmd
}

// unblock removes one block, and says how many running containers keep it.
func unblock(cmd *cobra.Command, dir, name string) error {
	if !policy.IsProfileName(name) {
		return usageError{fmt.Errorf("%q is no block's name", name)}
	}
	path := block.Path(dir, name)
	switch err := block.Remove(path); {
	case errors.Is(err, fs.ErrNotExist):
		return hinted{fmt.Errorf("there is no block %q", name), "batten block --list shows those that there are"}
	case errors.Is(err, block.ErrForeign):
		return hinted{err, "remove the file yourself if that is meant"}
	case err != nil:
		return err
	}
	kept, tightened := 0, ""
	if dir == policy.DropInDir {
		list, err := record.Store{Dir: names.Records}.List()
		if err != nil {
			return err
		}
		if slices.Contains(tighten.Reasons(names.Records), name) {
			tightened = ", and so do processes that batten block --running has closed"
		}
		for _, r := range list {
			for _, d := range r.DropIns {
				if d.Path == path {
					kept++
				}
			}
		}
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: removed; %s that started under it keep it until they are restarted%s\n", path, plural(kept, "running container"), tightened)
	return err
}
