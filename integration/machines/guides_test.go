package machines

import (
	"encoding/base64"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/testpages"
)

// guide is a page whose commands a machine runs as they are printed, one after the other.
type guide struct {
	page string
	// before is run first: what the page takes for granted.
	before []string
	// with is run in front of a command, by how that begins.
	with map[string]string
	// as is what a command is run as, where it would not end by itself.
	as map[string]string
	// status is a command's where it is not 0, and says what it prints; by how it begins.
	status map[string]int
	says   map[string]string
	// not has the reason why a command is not run, by how it begins. A $ stands for the end.
	not map[string]string
}

// TestGuides runs the commands of README and of the guides on Debian 12, and holds how each ends.
func TestGuides(t *testing.T) {
	plain, engines := worldFiles(t), worldFiles(t)
	t.Run("containerd", func(t *testing.T) { playGuides(t, debian12(t), guides, plain) })
	t.Run("engines", func(t *testing.T) { playGuides(t, debian12more(t, ""), enginesGuides, engines) })
}

func playGuides(t *testing.T, m *machine, all []guide, files map[string][]byte) {
	t.Helper()
	steps := []step{{command: world}}
	for _, g := range all {
		for _, command := range g.before {
			steps = append(steps, step{command: oneLine(command)})
		}
		steps = append(steps, g.steps(t)...)
	}
	play(t, m, steps, files)
}

// steps are the page's commands.
func (g guide) steps(t *testing.T) (steps []step) {
	t.Helper()
	used := map[string]bool{}
	find := func(what string, m map[string]string, command string) string {
		for begin, value := range m {
			if strings.HasPrefix(command+"$", begin) {
				used[what+begin] = true
				return value
			}
		}
		return ""
	}
	statuses := map[string]string{}
	for begin := range g.status {
		statuses[begin] = begin
	}
	for _, command := range testpages.Commands(string(read(t, filepath.Join("../..", g.page)))) {
		if why := find("not ", g.not, command); why != "" {
			t.Logf("%s: not run, %s: %s", g.page, why, command)
			continue
		}
		if with := find("with ", g.with, command); with != "" {
			steps = append(steps, step{command: oneLine(with)})
		}
		s := step{command: command, status: g.status[find("status ", statuses, command)]}
		if says := find("says ", g.says, command); says != "" {
			s.says = []string{says}
		}
		if as := find("as ", g.as, command); as != "" {
			s.command = as
		}
		s.command = oneLine(s.command)
		steps = append(steps, s)
	}
	for what, m := range map[string]map[string]string{"not ": g.not, "with ": g.with, "status ": statuses, "says ": g.says, "as ": g.as} {
		for begin := range m {
			if !used[what+begin] {
				t.Errorf("%s has no command %q any more", g.page, begin)
			}
		}
	}
	if len(steps) == 0 {
		t.Errorf("%s has no command", g.page)
	}
	return steps
}

// oneLine makes one line of several, which is what the machine reads.
func oneLine(command string) string {
	if !strings.Contains(command, "\n") {
		return command
	}
	return `bash -c "$(echo ` + base64.StdEncoding.EncodeToString([]byte(command)) + ` | base64 -d)"`
}
