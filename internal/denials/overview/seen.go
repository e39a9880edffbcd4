package overview

import (
	"fmt"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/observe"
)

// Unobserved returns why the denials of the container are not seen; it is empty while they are.
// Of a container that is not observed, no count says that nothing was denied.
func (c Container) Unobserved() string {
	switch {
	case c.Counts != nil && c.Counts.Broken != "":
		return "no longer observed: " + c.Counts.Broken
	case c.Record == nil:
		return "no longer observed: its record is gone"
	case c.Record.Denials.Seen():
		return ""
	case c.Record.Denials != nil && c.Record.Denials.Not != "":
		return "not observed: " + c.Record.Denials.Not
	}
	return "not observed: the policy does not ask for it, or denies nothing"
}

// shown is how many names of unseen calls a sentence has.
const shown = 4

// Unseen says in sentences what the container's profile denies and nobody sees, by the reason.
func (c Container) Unseen() (out []string) {
	if c.Record == nil || c.Record.Denials == nil {
		return nil
	}
	var order []string
	names := make(map[string][]string)
	for _, u := range c.Record.Denials.Unseen {
		if _, seen := names[u.Why]; !seen {
			order = append(order, u.Why)
		}
		if name := nameOf(u); !slices.Contains(names[u.Why], name) {
			names[u.Why] = append(names[u.Why], name)
		}
	}
	for _, why := range order {
		all := names[why]
		more := ""
		if n := len(all) - shown; n > 0 {
			all, more = all[:shown], fmt.Sprintf(" and %d more", n)
		}
		out = append(out, strings.Join(all, ", ")+more+": "+why)
	}
	return out
}

// nameOf names calls that are not seen.
func nameOf(u observe.Unseen) string {
	if u.Name != "" {
		return u.Name
	}
	var arches []string
	for _, arch := range u.Arches {
		arches = append(arches, string(arch))
	}
	return "calls of " + strings.Join(arches, ", ")
}
