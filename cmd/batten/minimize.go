package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/batten-runtime/batten/internal/recording"
	"github.com/spf13/cobra"
)

func newMinimize() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "minimize [flags] PROFILE --keep RECORDING",
		Short: "print PROFILE without what recordings did not need",
		Long: `batten minimize prints, as JSON, a profile without the calls, arguments and
architectures that no recording needed; what runtimes need to start a container
stays. On standard error it says what went. The result is nowhere looser than
PROFILE, and allows all that was recorded.

A recording cannot know the calls that were not made: record for long enough, and
watch with "denials: Count" before the result is enforced.

` + profileWords,
		Example:     "  batten minimize RuntimeDefault --keep web-1.json --keep web-2.json > web-profile.json",
		SuggestFor:  []string{"shrink", "reduce", "trim"},
		Annotations: map[string]string{exitOne: "PROFILE denies a call that was recorded, or a file cannot be read"},
		Args:        between(1, 1),
	}
	r := newReading(cmd)
	keep := cmd.Flags().StringArray("keep", nil, "`file` that batten record --recording wrote, whose calls stay; may be repeated")
	completeFiles(cmd, map[string][]string{"keep": {"json"}})
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if len(*keep) == 0 {
			return usageError{errors.New("--keep is missing")}
		}
		return r.minimize(args[0], *keep)
	}
	return cmd
}

// minimize prints a profile without what recordings did not need.
func (r *reading) minimize(name string, keep []string) error {
	p, err := r.profile(name)
	if err != nil {
		return err
	}
	recordings, err := readRecordings(keep)
	if err != nil {
		return err
	}
	made, err := r.madeOf(strings.Join(keep, ", "), recordings...)
	if err != nil {
		return err
	}
	out, err := made.Minimize(*p)
	if denied := (*recording.DeniedError)(nil); errors.As(err, &denied) {
		return hinted{fmt.Errorf("profile %q: %w", name, err), "batten merge allows what either allows"}
	}
	if err != nil {
		return hinted{fmt.Errorf("profile %q: %w", name, err), "docs/reference/floor.md says what an intersection can and cannot express"}
	}
	if out.Unchanged {
		out.Notes = append(out.Notes, "all of the profile is needed; it stays as it is")
	}
	if err := r.print(name, out.Seccomp, out.Unchanged, out.Notes); err != nil {
		return err
	}
	tellGone(r.cmd.ErrOrStderr(), made, out)
	return nil
}

// tellGone prints what a profile was minimized by.
func tellGone(w io.Writer, made *recording.Made, out *recording.Minimized) {
	if names := out.Gone.Denied; len(names) > 0 {
		fmt.Fprintf(w, "left out: %s\n", strings.Join(names, ", "))
	}
	for _, name := range out.Gone.DeniedSome {
		fmt.Fprintf(w, "left out of %s: all but %s\n", name, made.Conditions(name))
	}
	for _, arch := range out.Gone.Closed {
		fmt.Fprintf(w, "left out: programs of %s\n", arch)
	}
}
