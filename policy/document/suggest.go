package document

import (
	"fmt"
	"slices"
	"strings"
)

// Suggest returns `; did you mean "x"?` for the candidate nearest to word, or
// nothing where none is near: at most a third of its letters, and at least
// one, may differ.
func Suggest(word string, candidates []string) string {
	if len(word) > maxWord {
		return ""
	}
	best, distance := "", max(1, len(word)/3)+1
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		if d := edits(strings.ToLower(word), strings.ToLower(c)); d < distance {
			best, distance = c, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// maxWord is the length of a word that may be a misspelling of a candidate.
const maxWord = 64

// edits returns the number of letters to insert, drop, change or swap with their
// neighbour to make a of b (optimal string alignment), for short words.
func edits(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			best := min(rows[i-1][j-1]+cost, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				best = min(best, rows[i-2][j-2]+1)
			}
			rows[i][j] = best
		}
	}
	return rows[len(a)][len(b)]
}
