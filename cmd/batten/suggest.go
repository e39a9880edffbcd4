package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/batten-runtime/batten/internal/denials/overview"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/batten-runtime/batten/internal/suggest"
	"github.com/batten-runtime/batten/policy"
	"github.com/spf13/cobra"
)

func newSuggest() *cobra.Command {
	var name, base string
	var asJSON, dangerous, draft bool
	cmd := &cobra.Command{
		Use:   "suggest [flags] [CONTAINER...]",
		Short: "turn what containers were denied into a profile and a rule that allow it",
		Long: `batten suggest prints a policy for the containers that were denied calls, or in an
audit would have been: their profiles, each with the smallest addition that lets the
calls pass, and rules that give the profiles to these workloads and their replicas. Each
profile is proved to allow the calls and nothing else new. Comments say who made which
call, which calls are dangerous to open, which a capability would have opened, and which
programs survive being denied. Copy the profiles into the node's policy, and the rules
before those that match the same containers.

Calls that are dangerous to open are left out unless --dangerous is given. A call that
nobody saw, because it was not made or is not observed, is not in it.`,
		Example:     "  batten suggest --pod web/shop-7d4b9c6f5d-x2x7p\n  batten suggest --since 1h > suggested.yaml && batten check --draft suggested.yaml",
		SuggestFor:  []string{"propose", "allow", "learn", "recommend", "generate"},
		Annotations: map[string]string{exitOne: "there is no such container, or a file cannot be read", exitThree: "not run as root on the node", files: policy.DefaultPath + "\n" + names.Records},
		Args:        between(0, math.MaxInt),
	}
	profiles := newReading(cmd)
	d := newDenied(cmd)
	f := cmd.Flags()
	f.StringVar(&name, "profile", "", "`name` of the suggested profile; by default after the pod and the container")
	f.StringVar(&base, "base", "", "profile to add to: a `file`, or RuntimeDefault; by default the one whose denials they are")
	f.BoolVar(&dangerous, "dangerous", false, "allow calls that are dangerous to open, too")
	f.BoolVar(&draft, "draft", false, "do not check the policy's owner and mode")
	f.BoolVar(&asJSON, "json", false, "print a JSON array")
	completeFlag(cmd, "base", completeProfiles)
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		if err := d.read(ids, time.Now()); err != nil {
			return err
		}
		if name != "" && !policy.IsProfileName(name) {
			return usageError{fmt.Errorf("--profile %q cannot be a profile's name; use lower-case letters, digits and -", name)}
		}
		list, err := d.list()
		if err != nil {
			return err
		}
		asked := suggest.Asked{Containers: list, Since: d.from, Dangerous: dangerous, Name: name}
		if asked.Under, err = underOf(profiles, base, draft); err != nil {
			return err
		}
		all, err := suggest.Workloads(asked)
		if err != nil {
			return hinted{err, "name a profile by --base, or edit the profile by hand"}
		}
		switch {
		case asJSON:
			return printWorkloads(cmd.OutOrStdout(), all)
		case len(all) == 0:
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "# %s\n", d.none())
			return err
		}
		return suggest.Write(cmd.OutOrStdout(), all)
	}
	return cmd
}

// printWorkloads prints a JSON array, an empty one where there is nothing to suggest.
func printWorkloads(out io.Writer, all []*suggest.Workload) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(slices.Concat([]*suggest.Workload{}, all))
}

// underOf returns how the profile of a container is found: base for all, or by the policy.
func underOf(profiles *reading, base string, draft bool) (func(*record.Record) (*overview.Under, error), error) {
	if base == "" {
		load := loader(draft)
		return overview.Node{Policy: load.Policies(policy.DefaultPath), Machine: status.Machines(machine)}.Under, nil
	}
	s, err := profiles.profile(base)
	if err != nil {
		return nil, err
	}
	return func(rec *record.Record) (*overview.Under, error) {
		return &overview.Under{Seccomp: *s, Name: base, Bounding: profiles.capabilities, Filtered: rec.Asked != record.None}, nil
	}, nil
}
