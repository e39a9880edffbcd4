package policy_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
)

// rulesOf writes a policy with a rule for each match.
func rulesOf(matches []string) []byte {
	var b strings.Builder
	b.WriteString("version: 1\nrules:\n")
	for i, m := range matches {
		fmt.Fprintf(&b, "- {name: r%d, match: {%s}, absent: Deny}\n", i, m)
	}
	return []byte(b.String())
}

func unreached(t *testing.T, data []byte) (out []string) {
	t.Helper()
	_, findings := policy.Parse("p", data, nil)
	if err := findings.Err(); err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		out = append(out, f.Path+": "+f.Message)
	}
	return out
}

// The index finds what comparing all pairs does.
func TestUnreachableIndex(t *testing.T) {
	words := []string{"a", "ab", "c", "a*", "*", "[a-c]", "ab*", "a?"}
	for seed := range 300 {
		r := rand.New(rand.NewPCG(uint64(seed), 5))
		var matches []string
		for range 1 + r.IntN(12) {
			var fields []string
			for _, field := range []string{"containerdNamespace", "container", "image"} {
				var list []string
				for range r.IntN(3) {
					list = append(list, fmt.Sprintf("%q", words[r.IntN(len(words))]))
				}
				if len(list) > 0 {
					fields = append(fields, fmt.Sprintf("%s: [%s]", field, strings.Join(list, ", ")))
				}
			}
			matches = append(matches, strings.Join(fields, ", "))
		}
		got := unreached(t, rulesOf(matches))
		var want []string
		for i := range matches {
			for j := range i {
				// Two rules alone need no index.
				if pair := unreached(t, rulesOf([]string{matches[j], matches[i]})); len(pair) > 0 {
					want = append(want, fmt.Sprintf("rules[%d]: is never reached: rule %q before it matches all that it matches", i, fmt.Sprintf("r%d", j)))
					break
				}
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("seed %d: %q\ngot  %q\nwant %q", seed, matches, got, want)
		}
	}
}

// Ten thousand rules are searched whole where some field of them begins
// differently; where none does the search ends, and says so.
func TestUnreachableOfManyRules(t *testing.T) {
	var literal, patterns []string
	for i := range 10_000 {
		literal = append(literal, fmt.Sprintf("container: [c%d], pod: {namespace: [ns-%d], name: ['p-%d-*']}", i, i, i))
		patterns = append(patterns, fmt.Sprintf("container: ['*-c%d']", i))
	}
	literal = append(literal, literal[17])
	const again = `rules[10000]: is never reached: rule "r17" before it matches all that it matches`
	if got := unreached(t, rulesOf(literal)); fmt.Sprint(got) != fmt.Sprint([]string{again}) {
		t.Errorf("got %q, want %q", got, again)
	}
	const stopped = "rules: has more rules with patterns than are compared with each other; of those after rules[707] is not known whether they are ever reached"
	if got := unreached(t, rulesOf(patterns)); fmt.Sprint(got) != fmt.Sprint([]string{stopped}) {
		t.Errorf("got %q, want %q", got, stopped)
	}
}
