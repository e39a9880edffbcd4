package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/batten-runtime/batten/internal/block"
	"github.com/batten-runtime/batten/internal/execs"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/batten-runtime/batten/internal/tighten"
	"github.com/batten-runtime/batten/policy/filter"
	"golang.org/x/sys/unix"
)

// closedJSON is what batten block --running --json prints of a container that it tried to close.
type closedJSON struct {
	ID                  string        `json:"id"`
	ContainerdNamespace string        `json:"containerdNamespace,omitempty"`
	Called              record.Called `json:"called,omitzero"`
	// Processes is how many have the filter now, NoNewPrivs how many of them were put under
	// no_new_privs; Stopped is how long they were stopped together at most.
	Processes  int           `json:"processes"`
	NoNewPrivs int           `json:"noNewPrivs,omitempty"`
	Stopped    time.Duration `json:"stoppedNanoseconds"`
	// Later is the file by which what is started in the container later has it, too.
	Later string `json:"later,omitempty"`
	// Unrecorded says why the record does not tell of it.
	Unrecorded string `json:"unrecorded,omitempty"`
	// Unreached says what is not proved to have it, and why.
	Unreached []string `json:"unreached,omitempty"`
}

// closer closes calls in containers that run.
type closer struct {
	survey status.Survey
	filter tighten.Filter
	chosen func(*status.Container) bool
	block  *execs.Block
	note   record.Closed
	// tried is what came of the containers, by their oldest processes.
	tried map[tighten.Target]closedJSON
	// young says when containers were first found open that may have been on their way.
	young map[tighten.Target]time.Time
}

// Limits on closing: how long Batten goes before all else, how long it tries one container, how often
// it looks whether there are more, and how old a process is that is taken for one that its runtime has done with.
const (
	hurry      = 10 * time.Second
	closeLimit = 2 * time.Second
	closeLooks = 5
	youth      = status.SecondLook
)

// newCloser compiles a block, and notes that its filter is Batten's.
func newCloser(own block.Block, survey status.Survey, chosen func(*status.Container) bool) (*closer, error) {
	profile := own.Profile()
	program, err := filter.Demand(&profile, machine().Runtime)
	if err != nil {
		return nil, err
	}
	c := &closer{survey: survey, chosen: chosen, block: execs.New(profile), note: record.Closed{Name: own.Name, Calls: callsOf(own.Calls)}, tried: make(map[tighten.Target]closedJSON), young: make(map[tighten.Target]time.Time)}
	c.survey.Known = func(which *status.Container) (status.Verdict, bool) {
		return status.Verdict{Kind: status.Proved, Safe: true, Text: "closed while it runs"}, c.has(which)
	}
	// Without the flag some kernels slow down a process that they had not slowed down before.
	c.filter = tighten.Filter{Instructions: program.Instructions, Flags: unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW}
	return c, tighten.Note(names.Records, program.Instructions, own.Name)
}

// close closes the containers of a node that are open, and those that have come meanwhile, or in
// which something was started meanwhile. It returns the node as it is afterwards.
func (c *closer) close() (*status.Node, error) {
	for look := 1; ; look++ {
		n, err := c.survey.Once()
		if err != nil {
			return nil, refused{err, onTheNode}
		}
		open, young := c.open(n)
		switch {
		case len(open)+young == 0 || look == closeLooks:
			return n, nil
		case len(open) == 0:
			time.Sleep(youth)
		default:
			c.closeAll(open, n.Host)
		}
	}
}

// open returns the containers that are to be closed, and how many may only be on their way, with a
// process that its runtime has not filtered yet. One that is still open later is not: it may be one
// that replaces its processes all the time.
func (c *closer) open(n *status.Node) (open []*status.Container, young int) {
	for i := range n.Containers {
		which := &n.Containers[i]
		key, ok := oldest(which)
		since, before := c.young[key]
		switch {
		case which.Safe, which.LeftOut != "", !ok, len(c.tried[key].Unreached) > 0, !c.chosen(which):
		case settled(which), before && time.Since(since) >= youth:
			open = append(open, which)
		case before:
			young++
		default:
			young++
			c.young[key] = time.Now()
		}
	}
	return open, young
}

// closeAll closes containers, for what is started in them later first.
func (c *closer) closeAll(open []*status.Container, host map[int]procfs.Process) {
	later := make(map[*status.Container]string)
	failed := make(map[*status.Container]error)
	for _, which := range open {
		key, _ := oldest(which)
		later[which], failed[which] = c.block.Close(execs.Container{ID: which.ID, Pid: key.Pid})
	}
	awaitExecs(host)
	c.together(open, func(which *status.Container) closedJSON {
		return c.container(which, host, later[which], failed[which])
	})
}

// together closes several containers at a time: on a busy machine most of the time goes by until a
// thread that is to stop gets a processor.
func (c *closer) together(open []*status.Container, closeOne func(*status.Container) closedJSON) {
	const atATime = 16
	came, next := make([]closedJSON, len(open)), make(chan int)
	var all sync.WaitGroup
	for range atATime {
		all.Go(func() {
			for i := range next {
				came[i] = closeOne(open[i])
			}
		})
	}
	for i := range open {
		next <- i
	}
	close(next)
	all.Wait()
	for i, which := range open {
		key, _ := oldest(which)
		c.tried[key] = came[i]
	}
}

// has reports whether a container was closed: each of its processes was read back.
func (c *closer) has(which *status.Container) bool {
	key, ok := oldest(which)
	came, tried := c.tried[key]
	return ok && tried && len(came.Unreached) == 0
}

// container closes one, and returns what came of it so far.
func (c *closer) container(which *status.Container, host map[int]procfs.Process, later string, failed error) closedJSON {
	report, err := tighten.All(c.filter, closeLimit, processesOf(which, host))
	key, _ := oldest(which)
	out := c.tried[key]
	out.ID, out.ContainerdNamespace, out.Called, out.Later = which.ID, which.ContainerdNamespace, which.Called, later
	out.Processes += len(report.Tightened)
	out.NoNewPrivs += len(report.NoNewPrivs)
	out.Stopped = max(out.Stopped, report.Longest)
	for _, u := range report.Unreached {
		out.Unreached = append(out.Unreached, u.Error())
	}
	if err != nil {
		out.Unreached = append(out.Unreached, err.Error())
	}
	if failed != nil {
		out.Unreached = append(out.Unreached, fmt.Sprintf("what is started in it later can make the calls: %v", failed))
	}
	if rec := which.Record; rec != nil && len(out.Unreached) == 0 && len(report.Tightened) > 0 {
		note := c.note
		note.Time, note.Processes = time.Now().UTC(), len(report.Tightened)
		if err := c.survey.Records.Close(rec.Owner(), rec.ID, note); err != nil {
			out.Unrecorded = err.Error()
		}
	}
	return out
}

// closed are the containers in the order of their ids.
func (c *closer) closed() []closedJSON {
	return slices.SortedFunc(maps.Values(c.tried), func(a, b closedJSON) int {
		return cmp.Or(cmp.Compare(a.ContainerdNamespace, b.ContainerdNamespace), cmp.Compare(a.ID, b.ID))
	})
}

// tell says what came of it.
func (c *closer) tell(b *blocking) {
	w := b.cmd.OutOrStdout()
	for _, d := range c.closed() {
		name := inALine(d.Called, d.ContainerdNamespace, d.ID)
		switch {
		case len(d.Unreached) > 0:
		case d.Processes == 0:
			fmt.Fprintf(w, "closed while it runs: %s: its processes have it already, or have ended\n", name)
		default:
			fmt.Fprintf(w, "closed while it runs: %s: %s, stopped for %v%s\n", name, plural(d.Processes, "process"), d.Stopped.Round(10*time.Microsecond), underNoNewPrivs(d))
		}
		if d.Unrecorded != "" {
			fmt.Fprintf(w, "its record does not tell of it: %s: %s\n", name, d.Unrecorded)
		}
		for _, why := range d.Unreached {
			fmt.Fprintf(w, "not closed: %s: %s\n", name, why)
		}
	}
}

// underNoNewPrivs says what closing has changed besides.
func underNoNewPrivs(d closedJSON) string {
	if d.NoNewPrivs == 0 {
		return ""
	}
	return fmt.Sprintf("; %d under no_new_privs now: setuid programs and file capabilities give it nothing any more", d.NoNewPrivs)
}
