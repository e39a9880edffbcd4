package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/spf13/cobra"
)

func newRecords() *cobra.Command {
	var dir, rule, profile string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "records",
		Short: "show what was decided for the containers that run now",
		Long: `batten records prints a line for each container that went through Batten and
runs now: its pod, whether it asked for a filter, what was decided by which rule,
and what the kernel was seen to hold. --json prints the records whole.`,
		Example:     "  batten records\n  batten records --rule tenants --json",
		SuggestFor:  []string{"ps", "list", "ls"},
		Annotations: map[string]string{exitOne: "the records cannot be read", exitThree: "not run as root on the node", files: names.Records},
		Args:        between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == names.Records {
				if err := needsRoot("only root can read records"); err != nil {
					return err
				}
			} else if err := listable(dir); err != nil {
				return err
			}
			list, err := record.Store{Dir: dir}.List()
			if err != nil {
				return hinted{err, "a record that cannot be read may be removed once its container is gone"}
			}
			list = slices.DeleteFunc(list, func(r *record.Record) bool {
				return rule != "" && r.Rule != rule || profile != "" && !slices.Contains(strings.Split(r.Base+", "+r.Floor+", "+r.Mandatory, ", "), profile)
			})
			if asJSON {
				return printRecordsJSON(cmd.OutOrStdout(), list)
			}
			return printRecords(cmd.OutOrStdout(), list)
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", names.Records, "`directory` of the records")
	f.BoolVar(&asJSON, "json", false, "print a JSON array")
	f.StringVar(&rule, "rule", "", "only containers that the rule of this `name` decided")
	f.StringVar(&profile, "profile", "", "only containers whose filter or floor is the profile of this `name`")
	completeFiles(cmd, nil, "dir")
	completeFlag(cmd, "rule", completeRules)
	completeFlag(cmd, "profile", completeProfileNames)
	cmd.ValidArgsFunction = cobra.NoFileCompletions
	return cmd
}

func printRecordsJSON(w io.Writer, list []*record.Record) error {
	if list == nil {
		list = []*record.Record{}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(list)
}

func printRecords(out io.Writer, list []*record.Record) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	audits := slices.ContainsFunc(list, func(r *record.Record) bool { return r.WouldChange != nil })
	enforced := ""
	if audits {
		enforced = "ENFORCED, IT\t"
	}
	fmt.Fprintf(w, "CONTAINER\tNAME\tPOD\tIMAGE\tASKED\tDECISION\t%sRULE\tPID\tKERNEL\n", enforced)
	for _, r := range list {
		if audits {
			enforced = wouldChange(r) + "\t"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s%s\t%d\t%s\n", record.ShortID(r.ContainerdNamespace, r.ID), title(r.Title()),
			asked(r), decision(r), enforced, orDash(r.Rule), r.Pid, attested(r))
	}
	return w.Flush()
}

// wouldChange says what enforcement would change for a container that is only audited.
func wouldChange(r *record.Record) string {
	if r.WouldChange == nil {
		return "-"
	}
	if r.WouldChange.Refused { // why is in the record
		return "would be refused"
	}
	return r.WouldChange.Text
}

// title is the columns NAME, POD and IMAGE.
func title(c record.Called) string {
	return orDash(c.Name) + "\t" + orDash(c.Pod()) + "\t" + orDash(c.Image)
}

// inALine names a container where there is no table: shop/web main (k8s.io/0123456789ab).
func inALine(c record.Called, containerdNamespace, id string) string {
	name := strings.TrimSpace(c.Pod() + " " + c.Name)
	if name == "" {
		return record.ShortID(containerdNamespace, id)
	}
	return name + " (" + record.ShortID(containerdNamespace, id) + ")"
}

func asked(r *record.Record) string {
	if r.Asked == record.None {
		return "nothing"
	}
	return "a filter"
}

func decision(r *record.Record) string {
	out := r.Word
	switch {
	case r.Tightened && r.Verdict == policy.Tighten:
		out = "Tightened to " + r.Floor
	case r.Tightened:
		out += ", tightened to " + r.Floor
	}
	if r.Mandatory != "" {
		out += ", never looser than " + r.Mandatory
	}
	for _, c := range r.Closed {
		out += ", closed to " + c.Name + " while it ran"
	}
	if len(r.Hooks) > 0 {
		out += ", " + plural(len(r.Hooks), "hook")
	}
	if r.Mode != policy.Enforce {
		out += fmt.Sprintf(" (%s)", r.Mode)
	}
	return out
}

func attested(r *record.Record) string {
	a := r.Attestation
	out := string(a.State)
	if a.State == record.Filtered && a.Filters > 0 {
		out = fmt.Sprintf("%s (%d)", a.State, a.Filters)
	}
	if a.Compared == record.NotCompared {
		out += ", not compared"
	}
	switch {
	case !r.Denials.Seen():
	case r.Denials.Answer == record.LetThrough:
		out = "observed"
	default:
		out += ", denials counted"
	}
	return out
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
