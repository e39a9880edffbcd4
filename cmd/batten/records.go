package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/shim/enforce"
)

// records shows the record of each container that Batten has started.
func records(i *invocation) error {
	dir := i.flags.String("dir", enforce.DefaultRecords, "`directory` of the records")
	asJSON := i.flags.Bool("json", false, "print a JSON array")
	if err := i.parse(0); err != nil {
		return err
	}
	list, err := enforce.Records{Dir: *dir}.List()
	if err != nil {
		return hinted{err, "records are root's: run batten as root"}
	}
	if *asJSON {
		if list == nil {
			list = []*enforce.Record{}
		}
		enc := json.NewEncoder(i.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(list)
	}
	w := tabwriter.NewWriter(i.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "CONTAINER\tPOD\tASKED\tDECISION\tRULE\tPID\tKERNEL")
	for _, r := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n",
			containerName(r), podName(r), asked(r), decision(r), orDash(r.Rule), r.Pid, kernel(r.Attestation))
	}
	return w.Flush()
}

// containerName is what its author calls the container, or its id, shortened
// as other tools do.
func containerName(r *enforce.Record) string {
	id := r.ID
	if len(id) == 64 {
		id = id[:12]
	}
	switch {
	case r.Kind == policy.Sandbox:
		return "sandbox (" + id + ")"
	case r.Container != "":
		return r.Container + " (" + id + ")"
	}
	return r.ContainerdNamespace + "/" + id
}

func podName(r *enforce.Record) string {
	if r.PodName == "" {
		return "-"
	}
	return r.PodNamespace + "/" + r.PodName
}

func asked(r *enforce.Record) string {
	if r.Asked == enforce.None {
		return "nothing"
	}
	return "a filter"
}

func decision(r *enforce.Record) string {
	if r.Mode != policy.Enforce {
		return fmt.Sprintf("%s (%s)", r.Word, r.Mode)
	}
	return r.Word
}

func kernel(a enforce.Attestation) string {
	if a.State == enforce.Filtered && a.Filters > 0 {
		return fmt.Sprintf("%s (%d)", a.State, a.Filters)
	}
	return string(a.State)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
