package main

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/batten-runtime/batten/policy"
	"github.com/spf13/cobra"
)

func newVerify() *cobra.Command {
	var dir string
	var draft bool
	cmd := &cobra.Command{
		Use:   "verify [flags] [ID...]",
		Short: "prove the filters that the kernel holds for running containers",
		Long: `batten verify reads the filters of running containers out of the kernel, and
proves that they are as strict as the records say and as the policy demands today.
Without an ID it looks at everything that runs. It stops each process for about a
millisecond. Run it on the node, outside of containers, as root.`,
		Example:     "  batten verify\n  batten verify 4f2a9c",
		Annotations: map[string]string{exitOne: "a container is not proved, or something could not be looked at", exitThree: "not run as root on the node", files: policy.DefaultPath + "\n" + names.Records},
		Args:        between(0, math.MaxInt),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := ownProc(defaultProc); err != nil {
				return err
			}
			n, err := surveyOf(defaultProc, dir, policy.DefaultPath, loader(draft)).Look()
			if err != nil {
				return refused{err, onTheNode}
			}
			return tellVerified(cmd.OutOrStdout(), n, args)
		},
		ValidArgsFunction: completeRecords(recordID),
	}
	cmd.Flags().StringVar(&dir, "dir", names.Records, "`directory` of the records")
	cmd.Flags().BoolVar(&draft, "draft", false, "do not check the policy's owner and mode")
	completeFiles(cmd, nil, "dir")
	return cmd
}

// tellVerified prints what came of the containers with some ids, of all if there is none.
func tellVerified(w io.Writer, n *status.Node, ids []string) error {
	bad, seen := false, make(map[string]bool)
	wanted := func(containerdNamespace, id string) bool {
		found := len(ids) == 0
		for _, asked := range ids {
			if is(containerdNamespace, id, asked) {
				seen[asked], found = true, true
			}
		}
		return found
	}
	for _, rec := range n.Waiting {
		if wanted(rec.ContainerdNamespace, rec.ID) {
			fmt.Fprintf(w, "%s: not running yet\n", inALine(rec.Title(), rec.ContainerdNamespace, rec.ID))
		}
	}
	for _, c := range n.Containers {
		if wanted(c.ContainerdNamespace, c.ID) {
			bad = bad || !c.Safe
			fmt.Fprintf(w, "%s: %s\n", inALine(c.Called, c.ContainerdNamespace, c.ID), c.Text)
		}
	}
	for _, id := range ids {
		if !seen[id] {
			return hinted{fmt.Errorf("no container %q", id), "batten status shows what runs"}
		}
	}
	if len(ids) == 0 {
		for _, what := range n.Unseen {
			bad = true
			fmt.Fprintf(w, "not looked at: %s\n", what)
		}
	}
	if bad {
		return errNo
	}
	return nil
}

// is reports whether a container is meant by what tables print of it: its id, the start
// of a long one, and before it perhaps the containerd namespace.
func is(containerdNamespace, id, asked string) bool {
	if namespace, rest, ok := strings.Cut(asked, "/"); ok {
		if namespace != containerdNamespace {
			return false
		}
		asked = rest
	}
	return id == asked || len(id) == 64 && len(asked) >= 4 && strings.HasPrefix(id, asked)
}
