package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/spf13/cobra"
)

func newUninstall() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "uninstall [flags] --containerd|--docker|--podman|--crio",
		Short: "take Batten out of an engine's configuration",
		Long: `batten uninstall takes out of an engine's configuration what batten install put
there, byte for byte unless somebody else changed the file in between. The engine
reads it when it is restarted.

Docker and Podman do not start containers again that were made under the runtime that
goes, and podman ps complains of them. Where there are any, uninstall names them and
changes nothing, unless --force is given.`,
		Example:     "  batten uninstall --docker --dry-run\n  batten uninstall --docker",
		SuggestFor:  []string{"remove", "disable"},
		Annotations: map[string]string{exitOne: "nothing was changed, and why", files: engineFiles()},
		Args:        between(0, 0),
	}
	e := newEngines(cmd, "take Batten out of the configuration of")
	cmd.Flags().BoolVar(&force, "force", false, "go on although there are containers that do not start again")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return e.uninstall(cmd.OutOrStdout(), force) }
	return cmd
}

// uninstall takes Batten out of the chosen engines.
func (e *engines) uninstall(w io.Writer, force bool) error {
	if e.count() == 0 {
		return errNoTarget
	}
	if err := e.enter(); err != nil {
		return err
	}
	var plans []*install.Plan
	for _, t := range targets {
		if !*e.chosen[t.name] {
			continue
		}
		undo, err := install.UndoAll(e.dir, t.name)
		if errors.Is(err, install.ErrNotInstalled) {
			fmt.Fprintf(w, "%s: nothing to change: Batten is not installed\n", t.name)
			continue
		}
		if err != nil {
			return hinted{err, "nothing was changed"}
		}
		if err := strands(w, undo[0], force); err != nil {
			return err
		}
		plans = append(plans, undo...)
	}
	return e.carryOut(w, plans, "uninstalled")
}

// strands returns an error, or prints a note where force is set, if there are containers
// that do not start any more once a plan is carried out.
func strands(w io.Writer, p *install.Plan, force bool) error {
	runtime := p.Undoes()
	if runtime == "" {
		return nil
	}
	made, err := status.MadeUnder(p.Target, p.File, runtime)
	switch {
	case err != nil && !force:
		return hinted{fmt.Errorf("%s: which containers need the runtime %s is unknown: %w", p.Target, runtime, err), "nothing was changed; --force goes on"}
	case err != nil:
		fmt.Fprintf(w, "note: which containers need the runtime %s is unknown: %v\n", runtime, err)
	case len(made) > 0 && !force:
		return hinted{
			fmt.Errorf("%s: %s made under the runtime %s, without which %s does not start them: %s", p.Target, plural(len(made), "container"), runtime, p.Target, strings.Join(made, ", ")),
			"nothing was changed; remove them and make them again afterwards, or go on with --force",
		}
	case len(made) > 0:
		fmt.Fprintf(w, "note: %s does not start these containers any more, remove them: %s\n", p.Target, strings.Join(made, ", "))
	}
	return nil
}
