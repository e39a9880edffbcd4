package main

import (
	"bytes"
	"fmt"
	"math"

	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/spf13/cobra"
)

func newMerge() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "merge [flags] A B...",
		Short: "print the profile that allows what any of several allows",
		Long: `batten merge prints, as JSON, the exact union of profiles: a call is allowed, with
the arguments with which any of them allows it. It is killed only if all of them kill
it; else, where all deny it, the errno is that of the first. The union is nowhere
stricter than one of the profiles and nowhere looser than all together; what no rule
can express is an error or, between architectures, a note.

` + profileWords,
		Example:     "  batten merge web-1.json web-2.json > web.json\n  batten merge committed.json recording.json",
		SuggestFor:  []string{"union", "join", "combine"},
		Annotations: map[string]string{exitOne: "a profile cannot be read, or the union not be computed"},
		Args:        between(2, math.MaxInt),
	}
	r := newReading(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error { return r.merge(args) }
	return cmd
}

// merge prints the union of profiles.
func (r *reading) merge(names []string) error {
	first, err := r.profile(names[0])
	if err != nil {
		return err
	}
	union, unchanged := *first, true
	var notes []string
	for _, name := range names[1:] {
		next, err := r.profile(name)
		if err != nil {
			return err
		}
		joined, said, err := floor.Union(union, *next, floor.Limits{})
		if err != nil {
			return hinted{fmt.Errorf("the union with %q: %w", name, err), "docs/reference/merge.md says what a union can and cannot express"}
		}
		for _, note := range said {
			notes = append(notes, fmt.Sprintf("the union with %q: %s", name, note))
		}
		unchanged = unchanged && bytes.Equal(profile.Encode(union), profile.Encode(joined))
		union = joined
	}
	if unchanged {
		notes = append(notes, "the first profile allows all that the others allow; it stays as it is")
	}
	return r.print(names[0], union, unchanged, notes)
}
