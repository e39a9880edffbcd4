package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/batten-runtime/batten/internal/block"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
)

// callsOf names calls as they were asked for.
func callsOf(calls []block.Call) string {
	var out []string
	for _, c := range calls {
		out = append(out, c.Text)
	}
	return strings.Join(out, ", ")
}

// tellTakes says what a block takes away, and what it leaves open.
func (b *blocking) tellTakes(own block.Block) error {
	takes, err := own.Takes()
	if err != nil {
		return err
	}
	w := b.cmd.OutOrStdout()
	if b.dryRun { // where the drop-in is printed
		w = b.cmd.ErrOrStderr()
	}
	for _, t := range takes {
		fmt.Fprintf(w, "takes %s\n", t)
	}
	if others := block.Beside(own.Calls); len(others) > 0 {
		fmt.Fprintf(w, "stays open: programs can do the same by %s; block these too where that matters\n", strings.Join(others, ", "))
	}
	return nil
}

// tellList prints the blocks that there are.
func (b *blocking) tellList() error {
	list, err := block.List(b.dir)
	if err != nil {
		return hinted{err, "without --dir, drop-ins are read in " + policy.DropInDir}
	}
	out := b.cmd.OutOrStdout()
	if b.asJSON {
		return encodeIndented(out, slices.Concat([]block.Written{}, list))
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "no blocks")
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tCALLS\tSINCE")
	for _, l := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", l.Name, l.Asked, moment(l.Since))
	}
	return w.Flush()
}

// runningJSON is what batten block --json prints.
type runningJSON struct {
	Path string `json:"path"`
	// Open are the running containers that are not proved to be closed, the oldest first.
	Open []status.Container `json:"open"`
	// Closed is how many are, LeftOut how many --except leaves out.
	Closed  int `json:"closed"`
	LeftOut int `json:"leftOut,omitempty"`
	// Tightened are those that were open, and that --running has tried to close.
	Tightened []closedJSON `json:"tightened,omitempty"`
	Unseen    []string     `json:"unseen,omitempty"`
}

// tellRunning says which running containers let the calls of a drop-in through and, with --running,
// closes them.
func (b *blocking) tellRunning(own block.Block, path string, text []byte) error {
	if b.dir != policy.DropInDir {
		_, err := fmt.Fprintf(b.cmd.ErrOrStderr(), "running containers were not looked at: %s is not this node's %s\n", b.dir, policy.DropInDir)
		return err
	}
	demand, err := block.Demand(path, text)
	if err != nil {
		return err
	}
	survey := surveyOf(defaultProc, names.Records, policy.DefaultPath, func(string) (*policy.Policy, document.Findings) { return demand, nil })
	var n *status.Node
	c := &closer{}
	if b.running {
		if c, err = newCloser(own, survey, b.chosen); err == nil {
			n, err = c.close()
		}
	} else if n, err = survey.Look(); err != nil {
		err = refused{err, onTheNode}
	}
	if err != nil {
		return err
	}
	n.Containers = slices.DeleteFunc(n.Containers, func(c status.Container) bool { return !b.chosen(&c) })
	if len(n.Containers) < len(b.ids) {
		return hinted{errors.New("there is no running container of an --id"), "batten status shows those that run; the drop-in is written"}
	}
	answer := runningJSON{Path: path, Open: []status.Container{}, Tightened: c.closed(), Unseen: n.Unseen}
	unsure := len(n.Unseen) > 0
	for _, container := range n.Containers {
		switch {
		case container.LeftOut != "":
			answer.LeftOut++
			continue
		case container.Safe:
			answer.Closed++
			continue
		}
		unsure = unsure || b.running || container.Kind == status.Unproved
		answer.Open = append(answer.Open, container)
	}
	unsure = unsure || unreached(answer.Tightened) > 0
	slices.SortStableFunc(answer.Open, func(x, y status.Container) int { return cmp.Compare(started(x), started(y)) })
	if b.asJSON {
		err = encodeIndented(b.cmd.OutOrStdout(), answer)
	} else {
		c.tell(b)
		err = b.tellOpen(answer)
	}
	if err == nil && unsure {
		return errNo
	}
	return err
}

// chosen reports whether a running container is among those that were asked for.
func (b *blocking) chosen(c *status.Container) bool {
	short := record.ShortID(c.ContainerdNamespace, c.ID)
	return (b.pod == "" || c.Called.Pod() == b.pod) &&
		(len(b.ids) == 0 || slices.Contains(b.ids, c.ID) || slices.Contains(b.ids, short))
}

// started is when Batten decided about a container; 0 of one that bypasses Batten.
func started(c status.Container) int64 {
	if c.Record == nil {
		return 0
	}
	return c.Record.Time.UnixNano()
}

func (b *blocking) tellOpen(a runningJSON) error {
	w := b.cmd.OutOrStdout()
	switch {
	case len(a.Open)+a.Closed == 0 && a.LeftOut > 0:
	case len(a.Open)+a.Closed == 0:
		fmt.Fprintln(w, "running: no containers")
	case len(a.Open) == 0:
		fmt.Fprintf(w, "running: %s, all proved to be closed by the filters that the kernel holds%s\n", plural(a.Closed, "container"), butLater(a.Tightened))
	default:
		fmt.Fprintf(w, "running: %s of %d not proved to be closed; restart these:\n", plural(len(a.Open), "container"), len(a.Open)+a.Closed)
	}
	for _, c := range a.Open {
		fmt.Fprintf(w, "  %s: %s\n", inALine(c.Called, c.ContainerdNamespace, c.ID), openBy(c))
	}
	if a.LeftOut > 0 {
		fmt.Fprintf(w, "running: %s left out by --except, and not looked at\n", plural(a.LeftOut, "container"))
	}
	for _, what := range a.Unseen {
		fmt.Fprintf(w, "not looked at: %s\n", what)
	}
	return nil
}

// butLater says in how many containers what is started later can make the calls: all that can be
// left where no process of theirs can.
func butLater(tried []closedJSON) string {
	n := unreached(tried)
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; but what is started later in %s is not: restart what \"not closed\" names", plural(n, "container"))
}

// unreached counts the containers of which something is not proved to be closed.
func unreached(tried []closedJSON) (n int) {
	for _, d := range tried {
		if len(d.Unreached) > 0 {
			n++
		}
	}
	return n
}

// openBy says why a container is not proved to be closed.
func openBy(c status.Container) string {
	switch {
	case c.Kind != status.Unfiltered:
		return c.Text
	case c.Record == nil:
		return "bypasses Batten, and runs with no filter"
	}
	return "runs with no filter"
}

func encodeIndented(w interface{ Write([]byte) (int, error) }, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
