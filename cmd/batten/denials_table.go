package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/denials/overview"
)

// printDenials prints a table, and below it what the table cannot tell: where nothing is
// observed, and what is not seen. none is what it says of an empty list.
func printDenials(out io.Writer, list []overview.Container, since time.Time, none string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	head := "CONTAINER\tNAME\tPOD\tCALL\tDENIED\tCOUNT\tFIRST\tLAST\tPROGRAM\n"
	for _, c := range list {
		title := c.Title()
		for _, d := range c.Since(since) {
			fmt.Fprint(w, head)
			head = ""
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", c.ShortID(), orDash(title.Name), orDash(title.Pod()),
				overview.Call(&d, native), answered(c.Counts.Answer, d.Kind), d.Count, moment(d.First), moment(d.Last), overview.By(d.Sample))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return printRemarks(out, list, since, none, head == "")
}

// answered says what became of calls, or would have.
func answered(by denials.Answer, k denials.Kind) string {
	if by == denials.LetThrough {
		return "would be " + overview.Result(k)
	}
	return overview.Result(k)
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// remark is a sentence about some containers.
type remark struct {
	text string
	of   []string
}

// add notes a sentence about one more container.
func add(remarks *[]remark, text, container string) {
	for i := range *remarks {
		if r := &(*remarks)[i]; r.text == text {
			r.of = append(r.of, container)
			return
		}
	}
	*remarks = append(*remarks, remark{text, []string{container}})
}

// printRemarks prints what a table of denials cannot tell, below the table if there is one.
func printRemarks(w io.Writer, list []overview.Container, since time.Time, none string, table bool) error {
	var text strings.Builder
	if len(list) == 0 {
		text.WriteString(none + "\n")
	}
	for _, r := range remarksOf(list, since) {
		fmt.Fprintf(&text, "%s: %s\n", r.text, strings.Join(r.of, ", "))
	}
	printUnseen(&text, list)
	if text.Len() > 0 && table {
		fmt.Fprintln(w)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// remarksOf returns what there is to say besides the denials: of each container that has none
// why that is so.
func remarksOf(list []overview.Container, since time.Time) (out []remark) {
	for _, c := range list {
		why, denied := c.Unobserved(), len(c.Since(since)) > 0
		counts := c.Counts
		switch {
		case why != "":
			add(&out, why, c.ShortID())
		case counts == nil:
			add(&out, "observed, and nothing was counted yet", c.ShortID())
		case !denied && since.IsZero():
			add(&out, "observed, and nothing seen that is denied", c.ShortID())
		case !denied:
			add(&out, "observed, and nothing seen that is denied since "+moment(since), c.ShortID())
		}
		if counts != nil && counts.Others > 0 {
			add(&out, fmt.Sprintf("%s of further kinds, too many to list", plural(int(min(counts.Others, 1<<62)), "call")), c.ShortID())
		}
		if counts != nil && counts.Slowed > 0 {
			add(&out, fmt.Sprintf("slowed by %s, so that its denials cost no other container", counts.Slowed.Round(time.Millisecond)), c.ShortID())
		}
	}
	slices.SortStableFunc(out, func(a, b remark) int { return strings.Compare(a.text, b.text) })
	return out
}

// printUnseen says what observed containers are denied and nobody sees.
func printUnseen(w io.Writer, list []overview.Container) {
	var unseen []remark
	for _, c := range list {
		if sentences := c.Unseen(); len(sentences) > 0 {
			add(&unseen, "  "+strings.Join(sentences, "\n  "), c.ShortID())
		}
	}
	for _, r := range unseen {
		fmt.Fprintf(w, "denied and not seen, of %s:\n%s\n", strings.Join(r.of, ", "), r.text)
	}
}
