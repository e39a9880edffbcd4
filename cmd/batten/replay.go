package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/recorder"
	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/spf13/cobra"
)

func newReplay() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "replay [flags] PROFILE [-- COMMAND...]",
		Short: "say what a profile would have denied to work that is done now",
		Long: `batten replay watches containers of this node, or runs a bundle or a command, as
batten record does, and says which of the calls that were made PROFILE denies: with
exactly the arguments that it looks at. Nothing is denied meanwhile. With --from it
judges recordings that were made before.

A call that was not made is not judged. That is so of calls that the container's filter
denied meanwhile: batten denials shows these.

` + profileWords,
		Example:    "  batten replay shop.json --pod 'web/shop-*' --until 1h\n  batten replay redis.json -- redis-server --save ''\n  batten replay shop.json --from shop.recording.json",
		SuggestFor: []string{"try", "simulate", "watch"},
		Annotations: map[string]string{
			exitOne:   "PROFILE would have denied a call, or it is not known whether it would have",
			exitThree: "not run as root on the node, or the kernel lacks what recording needs", files: names.Records,
		},
		Args: between(1, math.MaxInt),
	}
	r := &replay{cmd: cmd, work: newWork(cmd)}
	cmd.Flags().StringArrayVar(&r.from, "from", nil, "a `file` that batten record wrote, to judge; may be repeated")
	cmd.Flags().BoolVar(&r.asJSON, "json", false, "print a JSON array")
	r.profiles = newReading(cmd)
	r.runtime = newOCIRuntime(cmd)
	completeFiles(cmd, map[string][]string{"from": {"json"}})
	cmd.RunE = func(_ *cobra.Command, args []string) error { return r.run(args[0], args[1:]) }
	return cmd
}

// replay is one call of batten replay.
type replay struct {
	cmd      *cobra.Command
	work     *work
	profiles *reading
	runtime  *ociRuntime
	from     []string
	asJSON   bool
}

func (r *replay) run(name string, command []string) error {
	if err := r.work.check(command); err != nil {
		return err
	}
	if r.work.none(command) == (len(r.from) == 0) {
		return usageError{errors.New("what is to be judged? Name containers, a --bundle or a command behind --, or recordings by --from")}
	}
	s, err := r.profiles.profile(name)
	if err != nil {
		return err
	}
	all, err := readRecordings(r.from)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		r.work.asked = append(r.work.asked, lookedAt(s)...)
		now, err := r.work.record(r.cmd, command, r.runtime)
		if err != nil {
			return err
		}
		all = append(all, now)
	}
	judged, err := recording.Judge(all, *s)
	if err != nil {
		return err
	}
	return r.tell(name, all, judged, s)
}

// lookedAt are the arguments that a profile has conditions on.
func lookedAt(s *specs.LinuxSeccomp) (out []recorder.Argument) {
	for _, rule := range s.Syscalls {
		for _, name := range rule.Names {
			for _, cond := range rule.Args {
				a := recorder.Argument{Name: name, Index: cond.Index}
				if recorder.Knows(name) && cond.Index < 6 && !slices.Contains(out, a) {
					out = append(out, a)
				}
			}
		}
	}
	return out
}

// tell prints what would have been denied.
func (r *replay) tell(name string, all []*recording.Recording, judged []recording.Verdict, s *specs.LinuxSeccomp) error {
	stderr := r.cmd.ErrOrStderr()
	for _, note := range recording.Lacks(all) {
		fmt.Fprintf(stderr, "note: %s\n", note)
	}
	denied := slices.DeleteFunc(slices.Clone(judged), func(v recording.Verdict) bool { return v.Falls })
	if len(denied) < len(judged) {
		fmt.Fprintln(stderr, "note: clone3 fails with ENOSYS under the profile: the C library takes clone")
	}
	if missing := profile.Missing(s, false); len(missing) > 0 {
		fmt.Fprintf(stderr, "note: runtimes that start containers under the profile may need %v, which it denies\n", missing)
	}
	if err := r.print(r.cmd.OutOrStdout(), name, all, denied); err != nil {
		return err
	}
	if len(denied) > 0 || lostAny(all) {
		return errNo
	}
	return nil
}

// lostAny reports whether a recording is not whole, so that nobody knows of all calls.
func lostAny(all []*recording.Recording) bool {
	return slices.ContainsFunc(all, func(one *recording.Recording) bool { return one.Lost.Any() })
}

func (r *replay) print(w io.Writer, name string, all []*recording.Recording, denied []recording.Verdict) error {
	if r.asJSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(slices.Concat([]recording.Verdict{}, denied))
	}
	for _, v := range denied {
		result := v.Result
		if v.Why != "" {
			result = v.Why
		}
		if _, err := fmt.Fprintf(w, "%s by %s: %s\n", v.Call(native), v.Program, result); err != nil {
			return err
		}
	}
	if len(denied) == 0 && !lostAny(all) {
		containers := 0
		for _, one := range all {
			containers += len(one.Containers)
		}
		_, err := fmt.Fprintf(w, "%s would have denied nothing of what %s did\n", name, many(containers, "container"))
		return err
	}
	return nil
}
