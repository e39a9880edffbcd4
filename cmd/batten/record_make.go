package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/atomicfile"
	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/spf13/cobra"
)

// noFloor is the word for a profile that is held against nothing.
const noFloor = "None"

// readRecordings reads the files that --from names.
func readRecordings(names []string) (all []*recording.Recording, err error) {
	for _, name := range names {
		one, err := readRecording(name)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func readRecording(name string) (*recording.Recording, error) {
	data, err := readBounded(name)
	if err != nil {
		return nil, hinted{err, "batten record --recording writes such a file"}
	}
	one, err := recording.Read(name, data)
	if err != nil {
		return nil, hinted{err, "batten record --recording writes such a file"}
	}
	return one, nil
}

// keepRecording writes what was recorded into its file.
func (r *recordCommand) keepRecording(now *recording.Recording) error {
	path := r.kept()
	if path == "" {
		return nil
	}
	var text strings.Builder
	if err := now.Write(&text); err != nil {
		return err
	}
	if err := atomicfile.Write(path, []byte(text.String())); err != nil {
		return err
	}
	fmt.Fprintf(r.cmd.ErrOrStderr(), "%s: %s\n", path, recorded(now))
	return nil
}

// recorded sums a recording up.
func recorded(now *recording.Recording) string {
	names := make(map[string]bool)
	for _, c := range now.Containers {
		for _, call := range c.Calls {
			names[call.Name] = true
		}
	}
	return many(len(now.Containers), "container") + ", " + many(len(names), "call")
}

// many says how many there are of something.
func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// profile makes the profile, and says what is to be known of it.
func (r *recordCommand) profile(all []*recording.Recording) (*recording.Made, error) {
	by, err := r.runtime.judge(r.cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	o := recording.Options{Runtime: by}
	if r.noNewPrivileges {
		o.NoNewPrivileges = &r.noNewPrivileges
	}
	made, err := recording.Profile(all, o)
	if err != nil {
		return nil, hinted{err, "docs/guide/record.md says what a recording can and cannot say"}
	}
	for _, note := range made.Notes {
		fmt.Fprintf(r.cmd.ErrOrStderr(), "note: %s\n", note)
	}
	return made, nil
}

// write writes the profile into its file, or prints it.
func (r *recordCommand) write(made *recording.Made) error {
	text, err := r.output.encode(made, r.name())
	if err != nil {
		return err
	}
	if r.to == "" {
		_, err := r.cmd.OutOrStdout().Write(text)
		return err
	}
	if err := atomicfile.Write(r.to, text); err != nil {
		return err
	}
	fmt.Fprintf(r.cmd.ErrOrStderr(), "%s: the profile\n", r.to)
	return nil
}

// prove holds the profile against the floor, and says what goes beyond it and who made that.
func (r *recordCommand) prove(made *recording.Made, all []*recording.Recording) error {
	if r.floor == noFloor {
		return nil
	}
	if !r.cmd.Flags().Changed("capability") {
		r.profiles.capabilities = commonCapabilities(all)
	}
	by, _, err := r.runtime.find()
	if err != nil {
		return err
	}
	if !by.Judged() {
		by = filter.Linked()
	}
	floor, err := r.profiles.demanded(r.floor, by)
	if err != nil {
		return err
	}
	own, err := compiled("the recorded one", &made.Seccomp, "no runtime can load it", func() (*filter.Program, error) {
		return filter.CompileFor(&made.Seccomp, by)
	})
	if err != nil {
		return err
	}
	w, err := filter.Subsumes(floor, own)
	if err != nil {
		return err
	}
	out := r.cmd.ErrOrStderr()
	if w == nil {
		fmt.Fprintf(out, "proved: the profile is nowhere looser than %s\n", r.floor)
		return nil
	}
	fmt.Fprintf(out, "refuted: the profile is looser than %s: %s\n", r.floor, w)
	base, err := r.profiles.profile(r.floor)
	if err != nil {
		return err
	}
	beyond, err := recording.Judge(all, *base)
	if err != nil {
		return err
	}
	for _, v := range beyond {
		if !v.Falls {
			fmt.Fprintf(out, "  %s by %s\n", v.Call(native), v.Program)
		}
	}
	return errNo
}

// commonCapabilities are those that all recorded containers had. A command has its caller's, which
// says nothing of the container that it will run in.
func commonCapabilities(all []*recording.Recording) (common []string) {
	first := true
	for _, one := range all {
		for _, c := range one.Containers {
			if len(c.Command) > 0 {
				return nil
			}
			if first {
				common, first = c.Capabilities, false
			}
			common = slices.DeleteFunc(slices.Clone(common), func(name string) bool { return !slices.Contains(c.Capabilities, name) })
		}
	}
	return common
}

// output is the flag --output.
type output struct{ format string }

func newOutput(cmd *cobra.Command) *output {
	o := new(output)
	words := recording.Formats()
	cmd.Flags().StringVar(&o.format, "output", words[0], "`form` of the profile: "+strings.Join(words[:len(words)-1], ", ")+" or "+words[len(words)-1])
	completeFlag(cmd, "output", completeWords(words...))
	return o
}

func (o *output) check() error {
	if !slices.Contains(recording.Formats(), o.format) {
		return usageError{errors.New("--output is one of " + strings.Join(recording.Formats(), ", "))}
	}
	return nil
}

func (o *output) encode(made *recording.Made, name string) ([]byte, error) {
	return recording.Encode(made.Seccomp, o.format, name)
}

// name is what the profile is called where its form has a name: after its file.
func (r *recordCommand) name() string {
	base := filepath.Base(r.to)
	if name := strings.ToLower(strings.TrimSuffix(base, filepath.Ext(base))); policy.IsProfileName(name) {
		return name
	}
	return "recorded"
}
