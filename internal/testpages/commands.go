package testpages

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// programs are what the commands of pages begin with.
	programs = []string{"apt", "batten", "cat", "cp", "ctr", "docker", "grep", "helm", "install", "jq", "kubectl", "ln", "make", "mkdir", "podman", "systemctl"}
	// fence begins or ends a block; inBlock is a line of an indented one.
	fence, inBlock = regexp.MustCompile("^ *```(.*)"), regexp.MustCompile(`^ {4,}(.*)`)
	// prose stands behind a command, in a column of its own.
	prose = regexp.MustCompile(`\s{3,}[^\s#'"-].*$`)
	// heredoc is the end of the text that a command reads.
	heredoc = regexp.MustCompile(`<<'(\w+)'`)
)

// Commands returns the commands that a page shows: in an indented block, or behind the prompt of
// a transcript, in their order. What a command reads from its own lines is part of it.
func Commands(text string) (commands []string) {
	lines, fenced, console := strings.Split(text, "\n"), false, false
	for len(lines) > 0 {
		line := lines[0]
		lines = lines[1:]
		if m := fence.FindStringSubmatch(line); m != nil {
			fenced, console = !fenced, !fenced && m[1] == "console"
			continue
		}
		first, ok := strings.CutPrefix(line, "# ")
		if m := inBlock.FindStringSubmatch(line); m != nil && !fenced {
			first, ok = strings.TrimSpace(m[1]), true
		} else {
			ok = ok && console
		}
		if program, _, _ := strings.Cut(first, " "); !ok || !slices.Contains(programs, program) {
			continue
		}
		command := []string{prose.ReplaceAllString(first, "")}
		for goesOn(command) && len(lines) > 0 {
			command = append(command, strings.TrimSpace(lines[0]))
			lines = lines[1:]
		}
		commands = append(commands, strings.Join(command, "\n"))
	}
	return commands
}

// goesOn reports whether a command is not at its end.
func goesOn(lines []string) bool {
	last := lines[len(lines)-1]
	if m := heredoc.FindStringSubmatch(lines[0]); m != nil {
		return last != m[1]
	}
	return strings.HasSuffix(last, "\\") || strings.HasSuffix(last, "|")
}
