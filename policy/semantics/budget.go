package semantics

import (
	"errors"
	"fmt"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A container brings its profile, and Batten works on it as root, outside the container's
// cgroup. So each computation has a limit: on its input, or on counted steps. No limit is a
// time, so that a profile is refused on every machine or on none, however busy it is.

const (
	// MaxNames is the number of names that the rules of one profile may have
	// together, a name counted once for each rule that lists it. The default
	// profiles of the engines have about 500.
	MaxNames = 8192
	// MaxConditions is the number of conditions that the rules of one profile
	// may have together, counted once for each name of their rule.
	MaxConditions = 8192
	// MaxWork is the number of steps that one call of [Floor] may take. A step
	// compares or cuts two sets of calls. Real profiles take less than a twentieth
	// of it (TestFloorWork).
	MaxWork = 250_000
)

// Errors that name a limit.
var (
	ErrWork     = fmt.Errorf("the two profiles take more than the %d steps that Batten spends on one container; give rules fewer conditions, or list fewer names", MaxWork)
	errOneCall  = errors.New("the conditions on one system call are too many; give it fewer rules or fewer conditions")
	ErrTooLarge = fmt.Errorf("linux.seccomp has more than the %d bytes that Batten reads; list fewer names, or give rules fewer conditions", MaxSize)
)

// Work counts the steps of one computation.
type Work struct {
	Left int
	most int
	over bool // the rules on one system call took more than maxWork
}

// NewWork returns the work of one computation for a container that is to start: [MaxWork].
func NewWork() *Work { return WorkOf(MaxWork) }

// WorkOf returns the work of one computation that may take more steps.
func WorkOf(steps int) *Work { return &Work{Left: steps, most: steps} }

// Done returns the steps that were taken.
func (w *Work) Done() int { return w.most - w.Left }

func (w *Work) Err() error {
	switch {
	case w.Left < 0:
		return ErrWork
	case w.over:
		return errOneCall
	}
	return nil
}

// One returns the budget for one system call.
func (w *Work) One() Budget { return Budget{left: maxWork, all: w} }

// Budget bounds the work on one system call: where many conditions meet, cutting boxes can
// grow without end. Each step also counts in the Work of the whole computation.
type Budget struct {
	left int
	all  *Work
}

// maxWork is more than any profile takes that fits the kernel's limit.
const maxWork = 200_000

func (w *Budget) use(steps int) {
	w.left -= steps
	w.all.Left -= steps
}

func (w *Budget) Spent() bool { return w.left < 0 || w.all.Left < 0 }

// CheckSize reports a profile that is too large to work on.
func CheckSize(s *specs.LinuxSeccomp) error {
	names, conditions := 0, 0
	for _, r := range s.Syscalls {
		names += len(r.Names)
		conditions += max(1, len(r.Names)) * len(r.Args)
	}
	switch {
	case names > MaxNames:
		return fmt.Errorf("its rules have %d names together, more than %d; list fewer names, or join rules", names, MaxNames)
	case conditions > MaxConditions:
		return fmt.Errorf("its rules have %d conditions together, counted for each name, more than %d; give rules fewer conditions or fewer names", conditions, MaxConditions)
	}
	return nil
}

// Said returns err with the name of the profile that it is about.
func Said(whose string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", whose, err)
}

// unjudged returns what becomes of a call that no table of Batten knows. A newer runtime may
// know the call, so its rules count. Their conditions do not, because anybody can invent a
// thousand names: the strictest rule counts, whatever the arguments.
func (m *Meaning) unjudged(arch specs.Arch, clauses []Clause) (f Function, clear bool) {
	m.work.Left -= 1 + len(clauses)/16
	for _, c := range clauses {
		if len(c.Conds) == 0 {
			return Constant(whole(arch), c.Outcome), true
		}
	}
	return Constant(whole(arch), strictestOf(clauses, m.Otherwise)), len(clauses) == 0
}

// maxListed is the number of names that a note lists: notes are kept in records,
// and the names may be a user's inventions.
const maxListed = 16

// Some returns the names as a list, cut short where they are many or long.
func Some(names []string) string {
	var b strings.Builder
	for i, name := range names {
		if i == maxListed || b.Len() > 1024 {
			fmt.Fprintf(&b, " and %d more", len(names)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		if len(name) > 64 {
			name = name[:64] + "..."
		}
		b.WriteString(name)
	}
	return b.String()
}

// MaxSize is the largest profile that Batten reads, in bytes.
const MaxSize = 1 << 20
