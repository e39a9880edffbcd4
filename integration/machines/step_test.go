package machines

import (
	"maps"
	"strings"
	"testing"
)

// step is a command that a machine runs, and what is to come of it.
type step struct {
	command string
	status  int
	says    []string // in this order
	never   string
}

// play boots a machine, has it run the steps with files beside them, and holds what comes of each.
func play(t *testing.T, m *machine, steps []step, files map[string][]byte) {
	t.Helper()
	var commands []string
	for _, s := range steps {
		commands = append(commands, s.command)
	}
	for i, said := range m.boot(t, commands, maps.Clone(files)) {
		s := steps[i]
		t.Logf("# %s (%.1f s)\n%s", s.command, said.ended-said.began, said.text)
		if said.status != s.status || !inOrder(said.text, s.says) || s.never != "" && strings.Contains(said.text, s.never) {
			t.Errorf("# %s\nstatus %d, want %d; it must say %q, and never %q", s.command, said.status, s.status, s.says, s.never)
		}
	}
}

// inOrder reports whether a text has all the words, one after the other.
func inOrder(text string, words []string) bool {
	for _, w := range words {
		_, rest, found := strings.Cut(text, w)
		if !found {
			return false
		}
		text = rest
	}
	return true
}
