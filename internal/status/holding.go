package status

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/shim/enforce"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// holding holds the filters that the kernel has for a container against profiles.
type holding struct {
	live    filter.Stack
	pid     int
	machine policy.Machine
	// programs keeps what profiles are compiled to, and proofs what comparisons came to.
	programs *proofs
	// answers is how Batten's listener answers what the filters notify it of; nil if they do
	// not notify it.
	answers *filter.Answers
	// recorded is what the runtime was given, and so what it loaded the filter with.
	recorded filter.Stack
	// unseen is set where a flag matters that the kernel does not tell.
	unseen bool
}

// record demands what the runtime makes of the profile that it was given. Whom the
// filter notifies is known from there alone.
func (h *holding) record(by string, s *specs.LinuxSeccomp) error {
	p, err := h.programs.compile("record", s, h.machine)
	if err != nil {
		return err
	}
	h.recorded = filter.Stack{p}
	for _, own := range h.live {
		own.Listener = p.Listener
	}
	return h.hold(by, p)
}

// demand demands a profile.
func (h *holding) demand(d demand) error {
	if d.given {
		return h.record(d.by, d.profile)
	}
	return h.policy(d.by, d.profile)
}

// policy demands a profile of the policy's. Calls that the runtime does not know and
// the kernel lacks do not matter.
func (h *holding) policy(by string, s *specs.LinuxSeccomp) error {
	p, err := h.programs.compile("demand", s, h.machine)
	if err != nil {
		return err
	}
	if h.answers != nil {
		answered := *h
		answered.live = nil
		for _, own := range h.live {
			answered.live = append(answered.live, own.Answered(*h.answers))
		}
		err := answered.hold(by, p)
		h.unseen = answered.unseen
		return err
	}
	return h.hold(by, p)
}

// denies is how Batten's listener answers for a container that is enforced: with an errno,
// whatever the call. Which one does not matter here. For one that is only audited it lets
// every call run.
var (
	denies      = &filter.Answers{Errnos: &filter.Program{Instructions: []bpf.Instruction{{Code: bpf.Return, K: unix.SECCOMP_RET_ALLOW}}}}
	letsThrough = &filter.Answers{}
)

// looserError says in what a container is looser than a profile.
type looserError struct{ text string }

func (e *looserError) Error() string { return e.text }

func loosef(format string, args ...any) error { return &looserError{fmt.Sprintf(format, args...)} }

func (h *holding) hold(by string, p *filter.Program) error {
	floor := filter.Stack{p}
	w, err := h.programs.subsumes(floor, h.live)
	if err != nil {
		return err
	}
	if w != nil {
		return loosef("looser than %s: %s", by, w)
	}
	if floor.Logs() && !h.live.Logs() {
		return loosef("looser than %s: SECCOMP_FILTER_FLAG_LOG is not set", by)
	}
	if !floor.Mitigates() {
		return nil
	}
	if h.recorded != nil && !h.recorded.Mitigates() {
		return loosef("looser than %s: its profile is loaded with SECCOMP_FILTER_FLAG_SPEC_ALLOW", by)
	}
	switch s := speculationOf(h.pid); {
	case !s.acts:
		h.unseen = true
	case !s.mitigated:
		return loosef("looser than %s: the kernel does not mitigate speculation for it, so a filter is loaded with SECCOMP_FILTER_FLAG_SPEC_ALLOW", by)
	}
	return nil
}

// proofs keeps what profiles are compiled to and what comparisons came to: containers
// mostly have the same filters. It may be used from several goroutines.
type proofs struct {
	mu       sync.Mutex
	programs map[string]*filter.Program // guarded by mu
	compared map[string]*filter.Witness // guarded by mu
	failed   map[string]error           // guarded by mu; of profiles that do not compile
	spent    time.Duration              // guarded by mu; on compiling
	// make compiles, for tests; nil for libseccomp.
	make func(as string, s *specs.LinuxSeccomp, m policy.Machine) (*filter.Program, error)
}

// Some profiles make libseccomp never return (docs/reference/floor.md), and not each version of it:
// a container may run under a profile that cannot be compiled here.
const (
	// compileBudget is what compiling may take for all containers together, and
	// compileLeast what it may take for one of them in any case.
	compileBudget = 5 * time.Second
	compileLeast  = 500 * time.Millisecond
)

// inTime compiles a profile within the budget. Libseccomp cannot be stopped: it goes on
// until the command ends. The caller holds mu.
func (c *proofs) inTime(as string, s *specs.LinuxSeccomp, m policy.Machine) (*filter.Program, error) {
	type result struct {
		program *filter.Program
		err     error
	}
	compile, done, began := c.make, make(chan result, 1), time.Now()
	if compile == nil {
		compile = program
	}
	defer func() { c.spent += time.Since(began) }()
	go func() {
		p, err := compile(as, s, m)
		done <- result{p, err}
	}()
	limit := max(compileBudget-c.spent, compileLeast)
	select {
	case r := <-done:
		return r.program, r.err
	case <-time.After(limit):
		return nil, fmt.Errorf("libseccomp does not compile its profile within %v", limit.Round(compileLeast))
	}
}

// program makes a program of s as [proofs.compile] says.
func program(as string, s *specs.LinuxSeccomp, m policy.Machine) (*filter.Program, error) {
	if as == "record" {
		return filter.CompileFor(s, m.Runtime)
	}
	reachable := semantics.Reachable(s, m.Runtime, m.Calls)
	return filter.Demand(&reachable, m.Runtime)
}

// compile makes a program of s: as a record's profile what the runtime makes of it, as
// a demand what it means, by number.
func (c *proofs) compile(as string, s *specs.LinuxSeccomp, m policy.Machine) (p *filter.Program, err error) {
	key := as + " " + m.Runtime.Path + " " + enforce.Digest(profile.Encode(*s))
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.programs[key]; ok {
		return p, nil
	}
	if err, ok := c.failed[key]; ok {
		return nil, err
	}
	if p, err = c.inTime(as, s, m); err != nil {
		if c.failed == nil {
			c.failed = make(map[string]error)
		}
		c.failed[key] = err
		return nil, err
	}
	if c.programs == nil {
		c.programs = make(map[string]*filter.Program)
	}
	c.programs[key] = p
	return p, nil
}

// subsumes returns a call on which s is looser than floor; nil if there is none.
func (c *proofs) subsumes(floor, s filter.Stack) (*filter.Witness, error) {
	key := keyOf(floor) + keyOf(s)
	c.mu.Lock()
	defer c.mu.Unlock()
	if w, ok := c.compared[key]; ok {
		return w, nil
	}
	w, err := filter.Subsumes(floor, s)
	if err != nil {
		return nil, err
	}
	if c.compared == nil {
		c.compared = make(map[string]*filter.Witness)
	}
	c.compared[key] = w
	return w, nil
}

func keyOf(s filter.Stack) string {
	var out strings.Builder
	for _, p := range s {
		fmt.Fprintf(&out, "%+v;", *p)
	}
	return enforce.Digest([]byte(out.String()))
}
