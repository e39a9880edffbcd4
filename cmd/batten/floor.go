package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/spf13/cobra"
)

// profileWords say what the arguments of floor, merge, diff, prove and compile are.
const profileWords = `A profile is a file in JSON or YAML, - for standard input, or the word
RuntimeDefault for containerd's own default. A recording, which batten record
--recording writes, stands for the profile that allows what was recorded.`

func newFloor() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "floor [flags] FLOOR PROFILE",
		Short: "print the profile that PROFILE becomes under FLOOR",
		Long: `batten floor prints, as JSON, the exact intersection of two profiles: what the
policy's "floor" makes of a container's profile. It is nowhere looser than either. A
profile that is nowhere looser than the floor is printed as it stands in its file,
byte for byte, unless it is YAML or has includes, excludes or other keys that no
runtime reads: these are resolved.

` + profileWords,
		Example:     "  batten floor RuntimeDefault workload.json > tightened.json",
		Annotations: map[string]string{exitOne: "a profile cannot be read, or the intersection not be computed"},
		Args:        between(2, 2),
	}
	r := newReading(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error { return r.floor(args[0], args[1]) }
	return cmd
}

// floor prints what a profile becomes under a floor.
func (r *reading) floor(under, name string) error {
	base, err := r.profile(under)
	if err != nil {
		return err
	}
	if err := r.heldByAll(under, base); err != nil {
		return err
	}
	own, err := r.profile(name)
	if err != nil {
		return err
	}
	out, notes, err := floor.Floor(*base, *own, floor.Limits{})
	if err != nil {
		return hinted{err, "docs/reference/floor.md says what a floor can and cannot express"}
	}
	if out.Unchanged {
		notes = append(notes, "the profile is nowhere looser than the floor; it stays as it is")
	}
	return r.print(name, out.Seccomp, out.Unchanged, notes)
}

// print prints a profile as JSON, and notes on standard error. If it is the profile of a file that
// runtimes read in the same way, it prints the file.
func (r *reading) print(name string, s specs.LinuxSeccomp, unchanged bool, notes []string) error {
	for _, note := range notes {
		fmt.Fprintf(r.cmd.ErrOrStderr(), "note: %s\n", note)
	}
	if data := r.texts[name]; unchanged && writtenPlainly(data, &s) {
		_, err := r.cmd.OutOrStdout().Write(data)
		return err
	}
	var text bytes.Buffer
	if err := json.Indent(&text, profile.Encode(s), "", "  "); err != nil {
		return err
	}
	_, err := fmt.Fprintf(r.cmd.OutOrStdout(), "%s\n", text.String())
	return err
}

// writtenPlainly reports whether a runtime would read a file as the profile that it was
// resolved to, so that the file itself is the answer.
func writtenPlainly(data []byte, s *specs.LinuxSeccomp) bool {
	read, err := profile.Decode(data)
	return err == nil && read != nil && bytes.Equal(profile.Encode(*read), profile.Encode(*s))
}
