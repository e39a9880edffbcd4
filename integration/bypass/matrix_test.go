package bypass

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// ending is how an attempt ends under Batten.
type ending string

const (
	// stopped: the attempt is a real one without Batten, and comes to nothing.
	stopped ending = "stopped"
	// harmless: it comes to nothing without Batten, too, or was no attempt.
	harmless ending = "harmless"
	// limit: it works. SECURITY.md says so.
	limit ending = "limit"
)

// row is one attempt.
type row struct {
	name string
	// try makes it, and says what came of the forbidden call: OK, an errno,
	// killed, or refused with the error that the caller got.
	try func(a *attempt) string
	// stock and batten are what comes of it, or begin with it; a part of the error
	// may follow "refused: ".
	stock, batten string
	end           ending
	// why is the reason for what is harmless, and words of SECURITY.md for limits.
	why string
}

// groups are the rows by what they get hold of.
var groups = map[string][]row{
	"spec": specRows, "bundle": bundleRows, "options": optionRows, "tasks": taskRows, "matching": matchingRows,
	"filters": filterRows, "groups": groupRows, "files": fileRows, "environment": environmentRows,
	"outside": outsideRows,
	"names":   nameRows,
	"denials": denialRows, "mandatory": mandatoryRows, "running": runningRows,
}

const engine = "containerd-2.4"

func TestSpec(t *testing.T)        { try(t, specRows) }
func TestBundle(t *testing.T)      { try(t, bundleRows) }
func TestOptions(t *testing.T)     { try(t, optionRows) }
func TestTasks(t *testing.T)       { try(t, taskRows) }
func TestMatching(t *testing.T)    { try(t, matchingRows) }
func TestFilters(t *testing.T)     { try(t, filterRows) }
func TestFiles(t *testing.T)       { try(t, fileRows) }
func TestEnvironment(t *testing.T) { try(t, environmentRows) }

// try makes each attempt on both sides of one node.
func try(t *testing.T, rows []row) {
	n := node.Start(t, engine)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			for side, want := range map[bool]string{false: r.stock, true: r.batten} {
				n.In(t)
				a := &attempt{Node: n, t: t, batten: side}
				a.policy("version: 1\n")
				if got := r.try(a); !isOutcome(got, want) {
					t.Errorf("under %s: %s\nwant %s", a.runtime(), got, want)
				}
				a.undoAll()
			}
		})
	}
}

// isOutcome reports whether got is what was wanted: a refusal may say more.
func isOutcome(got, want string) bool {
	part, is := strings.CutPrefix(want, "refused: ")
	if is {
		return strings.HasPrefix(got, "refused: ") && strings.Contains(got, part)
	}
	return got == want
}

// TestEndings: no row is called better than it ends, each limit is in SECURITY.md,
// and docs/evidence/assurance.md has the right sums.
func TestEndings(t *testing.T) {
	security := strings.Join(strings.Fields(read(t, "SECURITY.md")), " ")
	sums, names := map[ending]int{}, map[string]bool{}
	for group, rows := range groups {
		for _, r := range rows {
			name := group + "/" + r.name
			sums[r.end]++
			if names[name] {
				t.Errorf("%s: there twice", name)
			}
			names[name] = true
			switch below := r.batten == "OK"; r.end {
			case stopped:
				if below || r.stock != "OK" || r.why != "" {
					t.Errorf("%s: stopped, with %s in place of %s, and %q", name, r.batten, r.stock, r.why)
				}
			case harmless:
				if below || r.why == "" {
					t.Errorf("%s: harmless, with %s, for %q", name, r.batten, r.why)
				}
			case limit:
				if !below || r.stock != "OK" || r.why == "" || !strings.Contains(security, r.why) {
					t.Errorf("%s: a limit, with %s, and SECURITY.md does not say %q", name, r.batten, r.why)
				}
			default:
				t.Errorf("%s: ends as %q", name, r.end)
			}
		}
	}
	want := fmt.Sprintf("| %d | %d | %d | %d |", len(names), sums[stopped], sums[harmless], sums[limit])
	if !strings.Contains(read(t, "docs/evidence/assurance.md"), want) {
		t.Errorf("docs/evidence/assurance.md does not have %s", want)
	}
	if len(names) < 60 {
		t.Errorf("%d rows", len(names))
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(node.Root(), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
