package policy

import (
	"strings"

	"github.com/batten-runtime/batten/policy/document"
)

// maxCompared is how many pairs of rules the search for rules that are never reached
// compares. Ten thousand rules whose patterns begin differently in some field take about
// as many.
const maxCompared = 250_000

// unreachable warns about rules that an earlier rule covers. An index of the beginnings of
// patterns leaves few pairs to compare.
func (r *reader) unreachable(n document.Node) {
	items := n.Items()
	index := reached{begins: make(map[beginning][]int)}
	for i := range r.policy.Rules {
		match := &r.policy.Rules[i].Match
		if j := index.before(r.policy.Rules, match); j >= 0 {
			items[i].Warnf("is never reached: rule %q before it matches all that it matches", r.policy.Rules[j].Name)
		}
		if index.compared > maxCompared {
			n.Warnf("has more rules with patterns than are compared with each other; of those after %s is not known whether they are ever reached", items[i].Path())
			return
		}
		index.add(i, match)
	}
}

// reached holds the rules seen so far, each filed under one field that it demands.
type reached struct {
	// begins has the rules by the beginning of each pattern in that field: the text
	// before the first special character.
	begins   map[beginning][]int
	others   []int // rules that demand no such field
	compared int
}

type beginning struct {
	field int
	text  string
}

// before returns the first rule that covers match, -1 if there is none.
func (x *reached) before(rules []Rule, match *Match) int {
	first := -1
	try := func(candidates []int) {
		for _, j := range candidates {
			if first >= 0 && j >= first {
				return
			}
			x.compared++
			if rules[j].Match.covers(match) {
				first = j
				return
			}
		}
	}
	for field, globs := range match.fields() {
		if len(globs) == 0 {
			continue
		}
		// A rule that covers this one has a pattern for each of its globs, so for
		// the first one, too: the same, or one that begins as it does.
		for end := range len(globs[0]) + 1 {
			try(x.begins[beginning{field, globs[0][:end]}])
		}
	}
	try(x.others)
	return first
}

// add files a rule under the field by which it is found least often.
func (x *reached) add(rule int, match *Match) {
	best, least, fields := -1, 0, match.fields()
	for field, globs := range fields {
		if len(globs) == 0 {
			continue
		}
		found := 0
		for _, g := range globs {
			found += 1 + len(x.begins[beginning{field, beginningOf(g)}])
		}
		if best < 0 || found < least {
			best, least = field, found
		}
	}
	if best < 0 {
		x.others = append(x.others, rule)
		return
	}
	for _, g := range fields[best] {
		key := beginning{best, beginningOf(g)}
		x.begins[key] = append(x.begins[key], rule)
	}
}

// beginningOf returns a glob up to its first special character.
func beginningOf(glob string) string {
	if at := strings.IndexAny(glob, `*?[\`); at >= 0 {
		return glob[:at]
	}
	return glob
}

// fields returns the lists of globs of a match, always in the same order.
func (m *Match) fields() [7][]string {
	return [7][]string{m.ContainerdNamespace, m.PodNamespace, m.PodName, m.Container, m.Image, m.Runtime, m.Kind}
}
