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
// strict filter in one and a loose one in another. So it does where the shared filters
// are looser than the policy: batten block may have given each thread one more.
func (j *Judge) prove(c *Container, demands []demand) (Kind, string) {
	tasks, err := c.tasks(demands)
	if err != nil {
		return Unproved, "cannot be proved: " + err.Error()
	}
	p := proof{judge: j, container: c}
	looser := p.threads(tasks, demands, false)
	if len(looser) > 0 && p.onlyPolicy(looser) && j.Added != nil {
		whole := proof{judge: j, container: c}
		if all, err := c.threads(); err == nil && len(whole.threads(all, demands, true)) == 0 && whole.later {
			p.later, p.unseen, looser = true, whole.unseen, nil
		}
	}
	switch {
	case len(looser) > 0:
		return looser[0].kind, looser[0].text
	case p.shared == 0:
		return Unproved, "cannot be proved: no process of it is left"
	}
	return Proved, p.text()
}

// proof is what comes of comparing one container's filters.
type proof struct {
	judge     *Judge
	container *Container
	// shared is how many filters all processes have that were looked at. Later is set where
	// it takes filters that they were given while they ran; each thread has some, then.
	shared        int
	unseen, later bool
}

// failure says of a demand that it is not met; of none, that a thread cannot be read.
type failure struct {
	demand *demand
	kind   Kind
	text   string
}

// threads compares the filters of threads: those that all of the container share and, with added,
// those that batten block has added. Of each demand the first failure is returned.
func (p *proof) threads(tids []int, demands []demand, added bool) (out []failure) {
	failed := make([]bool, len(demands))
	for _, tid := range tids {
		live, err := p.judge.Live(tid)
		if err == nil && len(live) == 0 {
			err = fmt.Errorf("process %d has changed meanwhile", tid)
		}
		if err != nil {
			return append([]failure{{kind: Unproved, text: "cannot be proved: " + err.Error()}}, out...)
		}
		counted := p.counted(live, added)
		if added && len(counted) <= p.container.shared {
			return []failure{{kind: Unproved, text: fmt.Sprintf("cannot be proved: batten block has added nothing to process %d", tid)}}
		}
		live, p.later = counted, added
		if p.shared == 0 || len(live) < p.shared {
			p.shared = len(live)
		}
		h := holding{live: live, pid: tid, machine: p.container.machine(p.judge), programs: &p.judge.proofs, answers: p.container.answers()}
		for i := range demands {
			if failed[i] {
				continue
			}
			if kind, text := p.one(&h, demands[i]); kind != Proved {
				failed[i] = true
				out = append(out, failure{demand: &demands[i], kind: kind, text: text})
			}
		}
		p.unseen = p.unseen || h.unseen
	}
	return out
}

// counted returns the filters that count: those that all share and, with added, those that batten
// block has added.
func (p *proof) counted(live filter.Stack, added bool) filter.Stack {
	shared := min(len(live), p.container.shared)
	out := slices.Clone(live[:shared])
	for _, f := range live[shared:] {
		if added && p.judge.Added != nil && p.judge.Added(f) {
			out = append(out, f)
		}
	}
	return out
}

// one compares the filters of one thread with one demand.
func (p *proof) one(h *holding, d demand) (Kind, string) {
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
	return Proved, ""
}

// onlyPolicy reports whether what failed is the policy's alone: what the runtime was given must be
// among the filters that all share.
func (p *proof) onlyPolicy(failed []failure) bool {
	return !slices.ContainsFunc(failed, func(f failure) bool { return f.demand == nil || f.demand.given })
}

// text says what was proved.
func (p *proof) text() string {
	filters := fmt.Sprintf("%d filters", p.shared)
	if p.shared == 1 {
		filters = "1 filter"
	}
	if p.later {
		filters += " and what batten block has added to each thread"
	}
	text := "its record and today's policy"
	if p.container.Record == nil {
		text = "today's policy"
	}
	text = fmt.Sprintf("proved, %s as strict as %s", filters, text)
	if p.container.answers() == denies {
		text += "; Batten's listener denies the calls that it notifies of"
	}
	if p.unseen {
		text += "; that it is loaded without SECCOMP_FILTER_FLAG_SPEC_ALLOW cannot be seen, and this kernel does not act on it"
	}
	return text
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
	return c.threads()
}

// threads returns all threads of the container.
func (c *Container) threads() (out []int, err error) {
	for _, p := range c.members {
		out = append(out, p.Tasks()...)
	}
	if len(out) > maxTasks {
		return nil, fmt.Errorf("no runtime is known to have installed its filters, and it has %d threads; at most %d are looked at", len(out), maxTasks)
	}
	return out, nil
}
