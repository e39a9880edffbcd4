package observe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/integration/programs"
	"github.com/batten-runtime/batten/integration/strace"
)

// TestGroundTruth: what is seen of real programs is what strace sees of them and the compiled
// profile denies, no more and no less, and being seen changes nothing that they write or end
// with. PROGRAMS=all runs many programs, which engines/build.sh programs brings.
func TestGroundTruth(t *testing.T) {
	set := programs.Installed(t, t.TempDir())
	n := node.Start(t, "containerd-2.4", node.WithQuietLog())
	table := []string{"| program | denied | denied, not seen | compared |", "| --- | --- | --- | --- |"}
	for _, p := range set.Programs {
		t.Run(p.Name, func(t *testing.T) {
			n.In(t)
			w := &witness{t: t, n: n, set: set, Program: p, judge: judgeOf(t, p.Capabilities)}
			table = append(table, w.row(w.compare()))
		})
	}
	t.Logf("the table of docs/evidence/observe.md:\n%s", strings.Join(table, "\n"))
}

// mode is what a program runs under.
type mode string

const (
	unfiltered mode = "unfiltered"
	silent     mode = "silent"
	counted    mode = "counted"
	audited    mode = "audited"
)

// witness runs one program and compares what is seen of it.
type witness struct {
	t   *testing.T
	n   *node.Node
	set *programs.Set
	programs.Program
	judge  *judge
	serial int
}

// ran is what became of one run.
type ran struct {
	mode   mode
	output string
	exit   uint32
	// calls are strace's, nil of a run without strace. seen is the policy's log, by kind.
	calls []strace.Call
	seen  kinds
}

// kinds are kinds of calls, and how many calls there were of each.
type kinds map[string]uint64

func (k kinds) add(more kinds) {
	for name, n := range more {
		k[name] += n
	}
}

func (k kinds) names() []string { return slices.Sorted(maps.Keys(k)) }

func (k kinds) String() string {
	var b strings.Builder
	for _, name := range k.names() {
		fmt.Fprintf(&b, "\t%d × %s\n", k[name], name)
	}
	return cmp.Or(b.String(), "\tnothing\n")
}

// list is for people: a call that was made with many arguments is there once.
func (k kinds) list() string {
	const most = 8
	calls := make(map[string][]string)
	for _, name := range k.names() {
		call, _, _ := strings.Cut(name, "(")
		calls[call] = append(calls[call], "`"+strings.TrimSuffix(name, "()")+"`")
	}
	var out []string
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		if n := len(calls[call]); n > most {
			calls[call] = []string{fmt.Sprintf("`%s` with %d arguments", call, n)}
		}
		out = append(out, calls[call]...)
	}
	return strings.Join(out, ", ")
}

// compare runs the program under each mode, with strace and without it, and returns the kinds
// that are denied.
func (w *witness) compare() (denied, unseen kinds) {
	free := w.run(unfiltered)
	if strings.Contains(free.output, ": not found") {
		w.t.Fatalf("a program is missing: %s", free.output)
	}
	if !strings.Contains(free.output, w.Wrote) {
		w.t.Fatalf("it has not done its work: %q is not in\n%s", w.Wrote, free.output)
	}
	w.alike(free, w.run(audited))
	w.alike(w.run(silent), w.run(counted))

	// What strace and the log say of one and the same run are the same to the call.
	denied, unseen = make(kinds), make(kinds)
	for _, m := range []mode{audited, counted} {
		r := w.trace(m)
		v := w.judge.kinds(w.t, r)
		if !v.is(r.seen) {
			w.t.Errorf("%s, the log has\n%sstrace, judged by the compiled profile,\n%sand interrupted\n%s", m, r.seen, v.seen, v.broken)
		}
		unseen.add(v.unseen)
	}
	w.judge.kinds(w.t, w.trace(silent)) // each denied call fails with the profile's errno

	// What the program does without a filter and without strace, respectively.
	seen := make(kinds)
	for range max(w.Rounds, 1) {
		v := w.judge.kinds(w.t, w.trace(unfiltered))
		denied.add(v.seen)
		unseen.add(v.unseen)
		seen.add(w.run(audited).seen)
	}
	if !slices.Equal(denied.names(), seen.names()) {
		w.t.Errorf("audited, the log has\n%sunfiltered, strace, judged by the compiled profile,\n%s", seen, denied)
	}
	return denied, unseen
}

// alike compares what two runs wrote and how they ended.
func (w *witness) alike(a, b ran) {
	if a.exit != b.exit {
		w.t.Errorf("%s it ends with %d, %s with %d:\n%s\n%s", a.mode, a.exit, b.mode, b.exit, a.output, b.output)
	}
	if a.output != b.output && w.Varies == "" {
		w.t.Errorf("%s it wrote\n%s\n%s\n%s", a.mode, a.output, b.mode, b.output)
	}
}

// row is the program's line in docs/evidence/observe.md.
func (w *witness) row(denied, unseen kinds) string {
	compared := "all"
	if w.Varies != "" {
		compared = "all but the output, which has " + w.Varies
	}
	if w.Varied != "" {
		compared += fmt.Sprintf("; the kinds of %d runs, for %s", w.Rounds, w.Varied)
	}
	return fmt.Sprintf("| %s | %s | %s | %s |", w.Name, cmp.Or(denied.list(), "nothing"), unseen.list(), compared)
}
