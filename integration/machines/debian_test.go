package machines

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the commands printed into the page")

// page is the transcript.
const page = "../../docs/guide/debian.md"

// reboot is the command at which the machine is started again.
const reboot = "systemctl reboot"

// TestDebian runs the commands of the page on a fresh Debian 12, and holds what they
// print to it.
func TestDebian(t *testing.T) {
	text := string(read(t, page))
	commands := commandsOf(text)
	m := debian12(t)
	deb := read(t, debianPackage(t, "amd64", "0.0.1"))
	var all []said
	for rest := commands; len(rest) > 0; {
		now := rest
		if i := indexOf(rest, reboot); i >= 0 {
			now = rest[:i+1]
		}
		rest = rest[len(now):]
		all = append(all, m.boot(t, now, map[string][]byte{
			"batten_0.0.1_amd64.deb": deb, "pod": program(t, "amd64", "./pod"),
			"busybox.image": busybox(t, "amd64", "example.org/busybox:1", nil), "pause.image": busybox(t, "amd64", "registry.k8s.io/pause:3.6", nil, "sleep", "1000000"),
		})...)
	}
	tellTime(t, commands, all)
	if *update {
		if err := os.WriteFile(page, []byte(render(text, all)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, got := normal(text), normal(render(text, all))
	for i := range want {
		if i >= len(got) || want[i] != got[i] {
			t.Fatalf("docs/guide/debian.md differs from line %q; the machine's transcript:\n%s", want[i], render(text, all))
		}
	}
	if len(got) > len(want) {
		t.Fatalf("the machine says more, from %q", got[len(want)])
	}
}

// tellTime logs the seconds from the package's installation to the first container under
// Batten.
func tellTime(t *testing.T, commands []string, all []said) {
	t.Helper()
	began := 0.0
	typed := 0
	for i, command := range commands {
		if strings.HasPrefix(command, "dpkg -i ") && began == 0 {
			began = all[i].began
		}
		if began == 0 {
			continue
		}
		typed++
		if strings.Contains(all[i].text, "Seccomp:\t2") {
			t.Logf("%.1f s and %d commands from %q to the first container under Batten, by the emulated machine's clock", all[i].ended-began, typed, "dpkg -i")
			return
		}
	}
	t.Error("no container ran under a filter")
}

// block is one of the page's transcripts.
var block = regexp.MustCompile("(?ms)^```console\n(.*?)^```")

// commandsOf returns what stands behind a prompt in the page's transcripts.
func commandsOf(text string) (commands []string) {
	for _, m := range block.FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(m[1]) {
			if command, ok := strings.CutPrefix(line, "# "); ok {
				commands = append(commands, strings.TrimSuffix(command, "\n"))
			}
		}
	}
	return commands
}

// render returns the page with what the commands printed now.
func render(text string, all []said) string {
	n := 0
	return block.ReplaceAllStringFunc(text, func(old string) string {
		var b strings.Builder
		b.WriteString("```console\n")
		for line := range strings.Lines(old) {
			if !strings.HasPrefix(line, "# ") {
				continue
			}
			b.WriteString(line + tidy(all[n].text))
			if all[n].status != 0 {
				fmt.Fprintf(&b, "(exit status %d)\n", all[n].status)
			}
			n++
		}
		return b.String() + "```"
	})
}

var progress = regexp.MustCompile(`(?m)^.*\(Reading database.*\n`)

// tidy removes what belongs to a terminal.
func tidy(text string) string {
	text = progress.ReplaceAllString(text, "")
	text = regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(text, "")
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

var (
	hexID  = regexp.MustCompile(`\b[0-9a-f]{12,64}\b`)
	number = regexp.MustCompile(`\b[0-9]{3,}\b`)
	spaces = regexp.MustCompile(` {2,}`)
	line   = regexp.MustCompile(`\bk8s\.io/ID\b`)
	others = regexp.MustCompile(`(?m)^[0-9]+ process(es)? in namespaces of (its|their) own.*\n`) // systemd's services, by the moment
)

// normal returns the lines of a transcript without what differs from run to run: ids,
// digests, process numbers, and the columns that follow from them. Neighbouring lines about
// containers are sorted again: Batten prints them by id.
func normal(text string) []string {
	text = others.ReplaceAllString(text, "")
	text = hexID.ReplaceAllString(text, "ID")
	text = number.ReplaceAllString(text, "N")
	text = spaces.ReplaceAllString(text, "  ")
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := 0; i < len(lines); i++ {
		from := i
		for i < len(lines) && line.MatchString(lines[i]) {
			i++
		}
		slices.Sort(lines[from:i])
	}
	return lines
}

// TestNormal holds that the order of ids makes no difference, and that a decision does.
func TestNormal(t *testing.T) {
	const page = "# batten records\nCONTAINER  DECISION\n" +
		"k8s.io/5f99857646b1  (sandbox)  RuntimeDefault  1269\nk8s.io/9bf60f4d5df6  main  RuntimeDefault  1313\n# batten verify\n"
	for name, row := range map[string]struct {
		text string
		same bool
	}{
		"other ids, other order": {
			text: "# batten records\nCONTAINER  DECISION\n" +
				"k8s.io/8644b1ed6a03  main  RuntimeDefault  1308\nk8s.io/99a521d8e111  (sandbox)  RuntimeDefault  1262\n# batten verify\n",
			same: true,
		},
		"other decision": {
			text: "# batten records\nCONTAINER  DECISION\n" +
				"k8s.io/8644b1ed6a03  main  Unconfined  1308\nk8s.io/99a521d8e111  (sandbox)  RuntimeDefault  1262\n# batten verify\n",
		},
		"a container less": {
			text: "# batten records\nCONTAINER  DECISION\nk8s.io/8644b1ed6a03  main  RuntimeDefault  1308\n# batten verify\n",
		},
		"other order of commands": {
			text: "# batten verify\n# batten records\nCONTAINER  DECISION\n" +
				"k8s.io/5f99857646b1  (sandbox)  RuntimeDefault  1269\nk8s.io/9bf60f4d5df6  main  RuntimeDefault  1313\n",
		},
	} {
		if got := slices.Equal(normal(page), normal(row.text)); got != row.same {
			t.Errorf("%s: equal is %v, want %v:\n%q", name, got, row.same, normal(row.text))
		}
	}
}

func indexOf(list []string, what string) int {
	for i, s := range list {
		if s == what {
			return i
		}
	}
	return -1
}
