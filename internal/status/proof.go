package status

import (
	"errors"
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy/filter"
)

// prove compares what the kernel holds with what is demanded. Of each process that was
// started from outside it takes the filters that all of the container's processes
// share: those that a program has installed are its own affair. Where no runtime is
// known to have installed one, it looks at each thread: a program may have installed a
// strict filter in one and a loose one in another.
func (j *Judge) prove(c *Container, demands []demand) (Kind, string) {
	shared, unseen := 0, false
	tasks, err := c.tasks(demands)
	if err != nil {
		return Unproved, "cannot be proved: " + err.Error()
	}
	for _, pid := range tasks {
		live, err := j.Live(pid)
		if err != nil {
			return Unproved, "cannot be proved: " + err.Error()
		}
		if len(live) == 0 {
			return Unproved, fmt.Sprintf("cannot be proved: process %d has changed meanwhile", pid)
		}
		live = live[:min(len(live), c.shared)]
		if shared == 0 || len(live) < shared {
			shared = len(live)
		}
		h := holding{live: live, pid: pid, machine: c.machine(j), programs: &j.proofs, answers: c.answers()}
		for _, d := range demands {
			err := h.demand(d)
			var looser *looserError
			switch {
			case errors.As(err, &looser) && h.answers == letsThrough:
				return Looser, "is only observed, and " + err.Error()
			case errors.As(err, &looser):
				return Looser, err.Error()
			case err != nil:
				return Unproved, "cannot be proved: " + err.Error()
			}
		}
		unseen = unseen || h.unseen
	}
	if shared == 0 {
		return Unproved, "cannot be proved: no process of it is left"
	}
	filters := fmt.Sprintf("%d filters", shared)
	if shared == 1 {
		filters = "1 filter"
	}
	text := "its record and today's policy"
	if c.Record == nil {
		text = "today's policy"
	}
	text = fmt.Sprintf("proved, %s as strict as %s", filters, text)
	if c.answers() == denies {
		text += "; Batten's listener denies the calls that it notifies of"
	}
	if unseen {
		text += "; that it is loaded without SECCOMP_FILTER_FLAG_SPEC_ALLOW cannot be seen, and this kernel does not act on it"
	}
	return Proved, text
}

// answers returns how Batten's listener answers for the container; nil if it does not.
func (c *Container) answers() *filter.Answers {
	switch {
	case c.Record == nil || !c.Record.Denials.Seen():
		return nil
	case c.Record.Denials.Answer == record.Denied:
		return denies
	}
	return letsThrough
}

// maxTasks is how many threads of a container are stopped and read.
const maxTasks = 1000

// tasks returns the threads whose filters tell of all.
func (c *Container) tasks(demands []demand) (out []int, err error) {
	if slices.ContainsFunc(demands, func(d demand) bool { return d.given }) {
		for _, p := range c.heads {
			out = append(out, p.Pid)
		}
		return out, nil
	}
	for _, p := range c.members {
		out = append(out, p.Tasks()...)
	}
	if len(out) > maxTasks {
		return nil, fmt.Errorf("no runtime is known to have installed its filters, and it has %d threads; at most %d are looked at", len(out), maxTasks)
	}
	return out, nil
}
