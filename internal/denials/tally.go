package denials

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// maxKinds bounds the kinds that are kept of one container.
const maxKinds = 1000

// A tally counts the calls of one container by their kind.
type tally struct {
	judge  Judge
	answer Answer
	// looks are the arguments, as bits, that the profile looks at, by call. Only the loop
	// uses it.
	looks map[semantics.Numbered]uint8

	mu     sync.Mutex  // guards all below
	index  map[key]int // into counts.Denials
	counts Counts      // without Updated, and without the arguments, which index has
}

// key is what tells kinds from each other. looks has a bit for each argument that the profile
// looks at; the others are 0.
type key struct {
	semantics.Numbered
	looks uint8
	args  [6]uint64
}

// arguments returns those that the profile looks at.
func (k key) arguments() map[uint]uint64 {
	if k.looks == 0 {
		return nil
	}
	out := make(map[uint]uint64)
	for i := range uint(6) {
		if k.looks&(1<<i) != 0 {
			out[i] = k.args[i]
		}
	}
	return out
}

func newTally(r Request, answer Answer) *tally {
	return &tally{
		judge: r.Judge, answer: answer,
		looks:  make(map[semantics.Numbered]uint8),
		index:  make(map[key]int),
		counts: Counts{Owner: r.Owner, ID: r.ID, Answer: answer, Since: time.Now().UTC(), Denials: []Denial{}},
	}
}

// keyOf returns the key of a call. Only the loop calls it.
func (t *tally) keyOf(c bpf.Call) key {
	k := key{Numbered: semantics.NumberedCall(c)}
	looks, known := t.looks[k.Numbered]
	if !known {
		for _, i := range t.judge.Arguments(c) {
			looks |= 1 << i
		}
		if len(t.looks) < maxKinds {
			t.looks[k.Numbered] = looks
		}
	}
	k.looks = looks
	if looks == 0 {
		return k
	}
	whole := ^uint64(0)
	if arch, ok := k.ArchOf(); ok && !syscalls.Is64(arch) {
		whole = 1<<32 - 1
	}
	for i := range c.Args {
		if looks&(1<<i) != 0 {
			k.args[i] = c.Args[i] & whole
		}
	}
	return k
}

// known reports whether calls of this kind need no sample: there is one, or there are too
// many kinds.
func (t *tally) known(k key) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, known := t.index[k]
	return known || len(t.counts.Denials) >= maxKinds
}

// count counts one call. The sample is nil where the kind was known.
func (t *tally) count(k key, c bpf.Call, s *Sample, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, known := t.index[k]
	switch {
	case known:
		d := &t.counts.Denials[i]
		d.Count++
		d.Last = now
	case s == nil || len(t.counts.Denials) >= maxKinds:
		t.counts.Others++
	default:
		d := Denial{Kind: t.kind(k, c), Count: 1, First: now, Last: now, Sample: *s}
		t.index[k] = len(t.counts.Denials)
		t.counts.Denials = append(t.counts.Denials, d)
	}
}

// kind describes the calls of a key, but for their arguments.
func (t *tally) kind(k key, c bpf.Call) Kind {
	out := Kind{Syscall: fmt.Sprint(c.Nr)}
	if arch, ok := k.ArchOf(); ok {
		out.Arch = arch
		if name := syscalls.CallAt(arch, int(c.Nr)); name != "" {
			out.Syscall = name
		}
	}
	outcome, ok := t.judge.Answer(c)
	switch {
	case !ok && t.answer == LetThrough: // of an architecture that the profile kills
		out.Action = specs.ActKillThread
	case !ok:
		out.Action, out.Errno = specs.ActErrno, semantics.ENosys
	default:
		out.Action, _ = outcome.Action()
		if out.Action == specs.ActErrno {
			out.Errno = outcome.Data
		}
	}
	return out
}

// broken notes why calls are no longer seen. The first reason stays.
func (t *tally) broken(why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts.Broken == "" {
		t.counts.Broken = why
	}
}

func (t *tally) slowed(by time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Slowed += by
}

// snapshot returns the counts as they are.
func (t *tally) snapshot() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.counts
	out.Updated = time.Now().UTC()
	out.Denials = slices.Clone(t.counts.Denials)
	for k, i := range t.index {
		out.Denials[i].Args = k.arguments()
	}
	return out
}
