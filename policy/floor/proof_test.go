package floor_test

import (
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var (
	pairs = flag.Int("pairs", 10000, "how many random pairs to prove; with -short a tenth")
	seed  = flag.Uint64("seed", 1, "of the random pairs")
)

// judgement counts what came of pairs of profiles.
type judgement map[string]int

// Kinds of pairs. The worst kind of deviation in it is a pair's.
const (
	exact     = "exact on every arch"
	residue   = "exact but for the errno of calls above the highest that one profile names"
	thread    = "exact but that a thread is killed for a process, on an arch that one of the two does not list"
	stricter  = "stricter on i386 or x32, said in a note"
	leftOut   = "an arch left out, said in a note"
	ambiguous = "an input without one meaning, the strictest taken, said in a note"
	refused   = "refused as too large or inexpressible"
	unclean   = "STRICTER than a note says, or refused by libseccomp"
	wrong     = "WRONG"
)

var order = []string{exact, residue, thread, stricter, leftOut, ambiguous, unclean, wrong}

// judge computes a floor, compiles all three and compares them by the prover.
func judge(t *testing.T, f, p specs.LinuxSeccomp) (kind string, details string) {
	t.Helper()
	compiled := func(s specs.LinuxSeccomp) (filter.Stack, error) {
		program, err := filter.Compile(&s)
		return filter.Stack{program}, err
	}
	stackF, err := compiled(f)
	if err != nil {
		return "", lastPart(err)
	}
	stackP, err := compiled(p)
	if err != nil {
		return "", lastPart(err)
	}
	out, notes, err := floor.Floor(f, p, floor.Limits{})
	if err != nil {
		return refused, err.Error()
	}
	stackOut, err := compiled(out.Seccomp)
	if err != nil {
		return unclean, "does not compile: " + err.Error()
	}
	if n := len(stackOut[0].Instructions); n > filter.MaxInstructions {
		return wrong, "more instructions than the kernel takes"
	}
	deviations, err := filter.Deviations(stackF, stackP, stackOut)
	if err != nil {
		t.Fatal(err)
	}
	kind = exact
	for _, d := range deviations {
		k := deviation(d, f, p, out.Seccomp, notes)
		if k == wrong || k == unclean {
			details += d.Witness.String() + "\n"
		}
		if slices.Index(order, k) > slices.Index(order, kind) {
			kind = k
		}
	}
	again, _, err := floor.Floor(f, out.Seccomp, floor.Limits{})
	if err != nil || !again.Unchanged || !reflect.DeepEqual(again.Seccomp, out.Seccomp) {
		return wrong, "not idempotent"
	}
	return kind, details
}

// deviation is the kind of one; wrong is what must not be.
func deviation(d filter.Deviation, f, p, out specs.LinuxSeccomp, notes []string) string {
	arch := map[string]specs.Arch{"amd64": specs.ArchX86_64, "x86": specs.ArchX86, "x32": specs.ArchX32}[d.Arch]
	named := func(s specs.LinuxSeccomp) bool {
		return slices.ContainsFunc(s.Syscalls, func(r specs.LinuxSyscall) bool { return slices.Contains(r.Names, d.Syscall) })
	}
	denied := !permits(d.First) && !permits(d.Second)
	switch {
	case denied && (d.Syscall == "" || !filter.Linked().Knows(d.Syscall)): // a number that is no call's, to libseccomp
		return residue
	case arch != specs.ArchX86_64 && !permits(d.Second) && !(slices.Contains(f.Architectures, arch) && slices.Contains(p.Architectures, arch)):
		return thread // the filter kills the thread of a call by such an arch
	case arch != specs.ArchX86_64 && !slices.Contains(out.Architectures, arch):
		return leftOut
	case d.Looser && denied && d.Arch == "x86" && !named(f) && !named(p):
		return unclean
	case d.Looser:
		return wrong
	case denied && !named(f) && !named(p), d.First.Action == d.Second.Action && d.Second.Data == 38,
		denied && d.First.Action == d.Second.Action && arch != specs.ArchX86_64:
		return residue
	case strings.Contains(strings.Join(notes, "\n"), "overlap"):
		return ambiguous
	case arch == specs.ArchX86_64:
		return unclean
	}
	return stricter
}

func permits(r filter.Result) bool { return r.String() == "ALLOW" || r.String() == "LOG" }

func text(s specs.LinuxSeccomp) string { return string(profile.Encode(s)) }

// Floor is the meet of the two compiled programs, for every call there is.
func TestFloorOfRandomPairs(t *testing.T) {
	count, pairs := judgement{}, filtertest.Few(*pairs)
	for i := range pairs {
		r := rand.New(rand.NewPCG(*seed, uint64(i)))
		f, p := filtertest.Profile(r), filtertest.Profile(r)
		if filtertest.MayNotReturn(f) || filtertest.MayNotReturn(p) {
			count["not judged: libseccomp might not return from the input"]++
			continue
		}
		kind, details := judge(t, f, p)
		if kind == "" {
			kind = "not judged: libseccomp refuses an input: " + details
		}
		count[kind]++
		if kind == unclean {
			t.Logf("pair %d of seed %d: %s: %s", i, *seed, kind, details)
		}
		if kind == wrong && count[kind] < 4 {
			t.Errorf("pair %d of seed %d: %s: %s\nfloor   %s\nprofile %s", i, *seed, kind, details, text(f), text(p))
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		t.Logf("%6d %s", count[kind], kind)
	}
	if count[unclean] > pairs/20000 { // docs/reference/floor.md has the defect of libseccomp that it is
		t.Errorf("%d of %d pairs are stricter than a note says", count[unclean], pairs)
	}
	if count[exact] < pairs/10 {
		t.Errorf("only %d of %d pairs are exact: the generator or the floor is off", count[exact], pairs)
	}
	checkShares(t, count, pairs)
}

// shares bound, in percent of all pairs, what a proof says nothing of and what is
// stricter than it should be. The keys begin the kinds.
var shares = map[string]int{
	"not judged: libseccomp might not return": 14,
	"not judged: libseccomp refuses":          37,
	refused:                                   4,
	stricter:                                  4,
	leftOut:                                   8,
	ambiguous:                                 3,
}

func checkShares(t *testing.T, count judgement, pairs int) {
	t.Helper()
	for prefix, percent := range shares {
		n := 0
		for kind, c := range count {
			if strings.HasPrefix(kind, prefix) {
				n += c
			}
		}
		if n*100 > percent*pairs {
			t.Errorf("%d of %d pairs are %q, want at most %d %%", n, pairs, prefix, percent)
		}
	}
}

// lastPart returns the innermost error's text.
func lastPart(err error) string {
	parts := strings.Split(err.Error(), ": ")
	return parts[len(parts)-1]
}

// Pairs that a million found wrong, or stricter than a note said, before Floor
// knew what libseccomp makes of their rules.
func TestFloorOfKnownPairs(t *testing.T) {
	for _, pair := range []uint64{20210, 410352} {
		r := rand.New(rand.NewPCG(2000, pair))
		f, p := filtertest.Profile(r), filtertest.Profile(r)
		if kind, details := judge(t, f, p); kind != exact && kind != residue {
			t.Errorf("pair %d of seed 2000: %s: %s\nfloor   %s\nprofile %s", pair, kind, details, text(f), text(p))
		}
	}
}

// All ordered pairs of the corpus compile, are sound, and exact; those of a folder
// that somebody brings must be sound.
func TestFloorOfCorpus(t *testing.T) {
	profiles := filtertest.Corpus(t)
	count, n := judgement{}, 0
	for _, a := range slices.Sorted(maps.Keys(profiles)) {
		for _, b := range slices.Sorted(maps.Keys(profiles)) {
			n++
			kind, details := judge(t, profiles[a], profiles[b])
			if count[kind]++; kind == wrong || kind == unclean || kind == refused || kind == "" {
				t.Errorf("floor %s, profile %s: %s %s", a, b, kind, details)
			}
			if kind == stricter || kind == leftOut || kind == ambiguous {
				_, notes, _ := floor.Floor(profiles[a], profiles[b], floor.Limits{})
				t.Logf("floor %s, profile %s: %s: %s", a, b, kind, strings.Join(notes, "; "))
				if os.Getenv("CORPUS") == "" {
					t.Errorf("floor %s, profile %s is not exact", a, b)
				}
			}
		}
	}
	t.Logf("%d ordered pairs of %d profiles", n, len(profiles))
	for _, kind := range slices.Sorted(maps.Keys(count)) {
		t.Logf("%6d %s", count[kind], kind)
	}
}
