package main

import (
	"errors"
	"math"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/recording"
	"github.com/spf13/cobra"
)

func newRecord() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "record [flags] [-- COMMAND...]",
		Short: "record which calls containers make, and make a profile of that",
		Long: `batten record lists the system calls of containers of this node, by eBPF, and prints a
profile that allows these calls and what runtimes need to start a container. Containers
that are chosen by --id, --pod, --container and --image are recorded until they end or
--until says so: what starts meanwhile from its first instruction on, what runs already
from now on. It runs until it is interrupted, unless --until is given. Programs that are
executed in a container later are recorded as well.

With -- COMMAND... it runs a command of this node, in a mount namespace of its own, and
with --bundle an OCI bundle, without a filter; each until it ends, or --until says so.

The profile is proved to be nowhere looser than --floor. A recording cannot know which
calls the containers would have made and did not: docs/guide/record.md says how long to
record, and what then.`,
		Example: "  batten record --pod 'web/shop-*' --until 1h --to shop.json\n" +
			"  batten record --to redis.json -- redis-server --save ''\n" +
			"  batten record --from shop.recording.json --from shop-2.recording.json --to shop.json",
		SuggestFor: []string{"learn", "trace", "profile", "generate"},
		Annotations: map[string]string{
			exitOne:   "nothing was recorded, or the profile is looser than --floor",
			exitThree: "not run as root on the node, or the kernel lacks what recording needs", files: names.Records,
		},
		Args: between(0, math.MaxInt),
	}
	r := &recordCommand{cmd: cmd, work: newWork(cmd)}
	f := cmd.Flags()
	f.StringArrayVar(&r.from, "from", nil, "a `file` that was recorded before, to make a profile of; with others, of all together; may be repeated")
	f.StringVar(&r.to, "to", "", "`file` to write the profile to; by default it is printed")
	f.StringVar(&r.keep, "recording", "", "`file` to write the recording to; by default beside the profile: shop.recording.json for --to shop.json")
	r.output = newOutput(cmd)
	f.StringVar(&r.floor, "floor", "RuntimeDefault", "`profile` that the recorded one is to be nowhere looser than, or None")
	f.BoolVar(&r.noNewPrivileges, "no-new-privileges", false, "the containers will be started with no_new_privs, so that their runtime needs fewer calls")
	completeFlag(cmd, "floor", completeProfiles)
	completeFiles(cmd, map[string][]string{"from": {"json"}, "to": {"json", "yaml"}, "recording": {"json"}})
	r.profiles = newReading(cmd)
	r.runtime = newOCIRuntime(cmd)
	cmd.ValidArgsFunction = nil
	cmd.RunE = func(_ *cobra.Command, args []string) error { return r.run(args) }
	return cmd
}

// recordCommand is one call of batten record.
type recordCommand struct {
	cmd      *cobra.Command
	work     *work
	profiles *reading
	runtime  *ociRuntime
	output   *output

	from            []string
	to, keep, floor string
	noNewPrivileges bool
}

// check returns an error for flags that contradict each other.
func (r *recordCommand) check(args []string) error {
	if err := r.work.check(args); err != nil {
		return err
	}
	switch {
	case r.work.none(args) && len(r.from) == 0:
		return usageError{errors.New("what is to be recorded? Name containers by --id, --pod, --container or --image, a --bundle, or a command behind --")}
	case len(args) > 0 && r.to == "":
		return usageError{errors.New("--to is missing: standard output is the command's")}
	case r.work.bundle != "" && r.to == "":
		return usageError{errors.New("--to is missing: standard output is the container's")}
	}
	if strings.EqualFold(r.floor, noFloor) {
		r.floor = noFloor
	}
	return r.output.check()
}

func (r *recordCommand) run(args []string) error {
	if err := r.check(args); err != nil {
		return err
	}
	if err := r.ready(args); err != nil {
		return err
	}
	all, err := readRecordings(r.from)
	if err != nil {
		return err
	}
	if r.work.none(args) {
		return r.make(all)
	}
	now, err := r.work.record(r.cmd, args, r.runtime)
	if err != nil {
		return err
	}
	return r.finish(now, append(all, now))
}

// finish writes what was recorded now, and the profile of all. What took hours to record is not lost
// in both forms where one cannot be written.
func (r *recordCommand) finish(now *recording.Recording, all []*recording.Recording) error {
	kept, made := r.keepRecording(now), r.make(all)
	switch {
	case kept == nil:
		return made
	case made == nil, errors.Is(made, errNo):
		return kept
	}
	return errors.Join(kept, made)
}

// make makes the profile, writes it, and holds it against the floor.
func (r *recordCommand) make(all []*recording.Recording) error {
	made, err := r.profile(all)
	if err != nil {
		return err
	}
	if err := r.write(made); err != nil {
		return err
	}
	return r.prove(made, all)
}
