package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/internal/denials/overview"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/policy/syscalls"
	"github.com/spf13/cobra"
)

// denied are the containers and the time that denials and suggest are asked for.
type denied struct {
	dir, pod, rule, since string

	ids  []string
	from time.Time
	gone bool // a container that is named may be gone
}

func newDenied(cmd *cobra.Command) *denied {
	d := new(denied)
	f := cmd.Flags()
	f.StringVar(&d.dir, "dir", names.Records, "`directory` of the records")
	f.StringVar(&d.pod, "pod", "", "only containers of the pod `NAMESPACE/NAME`")
	f.StringVar(&d.rule, "rule", "", "only containers that the rule of this `name` decided")
	f.StringVar(&d.since, "since", "", "only calls since this `time`: 10m, 24h, or 2006-01-02T15:04:05Z")
	completeFiles(cmd, nil, "dir")
	completeFlag(cmd, "pod", completeRecords(recordWholePod))
	completeFlag(cmd, "rule", completeRules)
	cmd.ValidArgsFunction = completeRecords(recordID)
	return d
}

// list returns the containers that are asked for. It is an error if one that is named is not
// there, or if a file cannot be read; it returns the others then.
func (d *denied) list() ([]overview.Container, error) {
	if d.dir == names.Records {
		if err := needsRoot("only root can read what was denied"); err != nil {
			return nil, err
		}
	} else if err := listable(d.dir); err != nil {
		return nil, err
	}
	all, err := overview.List(d.dir)
	if err != nil {
		err = hinted{err, "a file that cannot be read may be removed once its container is gone"}
	}
	for _, id := range d.ids {
		if err == nil && !d.gone && !slices.ContainsFunc(all, func(c overview.Container) bool { return named(c, id) }) {
			return nil, hinted{fmt.Errorf("no container %q", id), "batten records shows the containers that went through Batten"}
		}
	}
	return slices.DeleteFunc(all, func(c overview.Container) bool { return !d.wants(c) }), err
}

// none says that list returned nothing.
func (d *denied) none() string {
	var by []string
	if d.pod != "" {
		by = append(by, "of pod "+strconv.Quote(d.pod))
	}
	if d.rule != "" {
		by = append(by, "that rule "+strconv.Quote(d.rule)+" decided")
	}
	return strings.Join(append(append([]string{"no container"}, by...), "went through Batten and runs now"), " ")
}

// wants reports whether a container is asked for.
func (d *denied) wants(c overview.Container) bool {
	rule := ""
	if c.Record != nil {
		rule = c.Record.Rule
	}
	return (d.pod == "" || c.Title().Pod() == d.pod) && (d.rule == "" || rule == d.rule) &&
		(len(d.ids) == 0 || slices.ContainsFunc(d.ids, func(id string) bool { return named(c, id) }))
}

// named reports whether a container is meant by what tables print of it.
func named(c overview.Container, id string) bool {
	owner, own := c.Owner()
	if c.Record != nil {
		owner = c.Record.ContainerdNamespace
	}
	return is(owner, own, id)
}

// read takes what the command line says. Now is subtracted from.
func (d *denied) read(ids []string, now time.Time) (err error) {
	d.ids = ids
	if d.pod != "" && !strings.Contains(d.pod, "/") {
		return usageError{fmt.Errorf("--pod is a namespace and a name, such as default/%s", d.pod)}
	}
	if d.since == "" {
		return nil
	}
	if ago, err := time.ParseDuration(d.since); err == nil && ago >= 0 {
		d.from = now.Add(-ago)
		return nil
	}
	if d.from, err = time.Parse(time.RFC3339, d.since); err != nil {
		return usageError{fmt.Errorf("--since is a duration such as 10m, or a time such as 2006-01-02T15:04:05Z, not %q", d.since)}
	}
	return nil
}

func newDenials() *cobra.Command {
	var asJSON, follow bool
	cmd := &cobra.Command{
		Use:   "denials [flags] [CONTAINER...]",
		Short: "show which calls containers were denied, or in an audit would be",
		Long: `batten denials prints a line for each kind of system call that the filters of running
containers denied, or would have denied where the policy only audits: the call with its
arguments, the profile's answer, how often, and which program made the first one. What
programs say of themselves, their names, may be a lie.

It says which containers are not observed, and which denials nobody sees. Set
denials: Count, or mode: Audit, in the policy for containers to be observed.`,
		Example:     "  batten denials\n  batten denials --pod web/shop-7d4b9c6f5d-x2x7p --since 10m\n  batten denials --follow --json",
		SuggestFor:  []string{"denied", "audit", "events", "blocked"},
		Annotations: map[string]string{exitOne: "there is no such container, or a file cannot be read", exitThree: "not run as root on the node", files: names.Records},
		Args:        between(0, math.MaxInt),
	}
	d := newDenied(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array; with --follow an object a line")
	cmd.Flags().BoolVar(&follow, "follow", false, "go on, and print a line for each new denial, until interrupted")
	cmd.RunE = func(cmd *cobra.Command, ids []string) error {
		if err := d.read(ids, time.Now()); err != nil {
			return err
		}
		if follow {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return (&follower{denied: d, asJSON: asJSON, out: cmd.OutOrStdout(), warn: cmd.ErrOrStderr()}).run(ctx)
		}
		list, unread := d.list()
		if unread != nil && len(list) == 0 {
			return unread
		}
		show := func() error { return printDenials(cmd.OutOrStdout(), list, d.from, d.none()) }
		if asJSON {
			show = func() error { return printDenialsJSON(cmd.OutOrStdout(), list, d.from) }
		}
		if err := show(); err != nil {
			return err
		}
		return unread
	}
	return cmd
}

// deniedJSON is a container and its denials.
type deniedJSON struct {
	ContainerdNamespace string `json:"containerdNamespace,omitempty"`
	ID                  string `json:"id"`
	Name                string `json:"name,omitempty"`
	Pod                 string `json:"pod,omitempty"`
	Rule                string `json:"rule,omitempty"`
	Mode                string `json:"mode,omitempty"`
	// Answer is Denied or LetThrough. Unobserved says why denials are not seen.
	Answer     string       `json:"answer,omitempty"`
	Unobserved string       `json:"unobserved,omitempty"`
	Unseen     []string     `json:"unseen,omitempty"`
	Denials    []denialJSON `json:"denials"`
	Others     uint64       `json:"others,omitempty"`
	SlowedBy   float64      `json:"slowedSeconds,omitempty"`
}

func jsonOf(c overview.Container, since time.Time) deniedJSON {
	title := c.Title()
	_, id := c.Owner()
	out := deniedJSON{
		ID: id, Name: title.Name, Pod: title.Pod(), Unobserved: c.Unobserved(), Unseen: c.Unseen(), Denials: []denialJSON{},
	}
	if c.Record != nil {
		out.ContainerdNamespace, out.Rule, out.Mode = c.Record.ContainerdNamespace, c.Record.Rule, string(c.Record.Mode)
	}
	if c.Counts != nil {
		out.Answer, out.Others, out.SlowedBy = string(c.Counts.Answer), c.Counts.Others, c.Counts.Slowed.Seconds()
	}
	for _, d := range c.Since(since) {
		out.Denials = append(out.Denials, denialJSON{Call: overview.Call(&d, native), Denial: d})
	}
	return out
}

// native is the machine's architecture, which is not named in tables.
var native = syscalls.Native[runtime.GOARCH]

func printDenialsJSON(w io.Writer, list []overview.Container, since time.Time) error {
	out := []deniedJSON{}
	for _, c := range list {
		out = append(out, jsonOf(c, since))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
