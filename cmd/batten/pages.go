package main

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/version"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/shim/runc"
	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

//go:embed pages/*.md
var pageTexts embed.FS

// fixedPages are the sections of the manual pages that describe no subcommand.
var fixedPages = map[string]string{
	"batten-runc": "8", "containerd-shim-batten-v2": "8", "batten-policy": "5",
}

// Annotations of a command.
const (
	exitOne = "exit1" // when the exit status is 1
	// when the exit status is 3, besides an internal error
	exitThree = "exit3"
	files     = "files" // the files that it reads or writes, one a line
)

// entry is a term with what it means.
type entry struct{ term, text string }

// exitStatuses returns the exit statuses of a command.
func exitStatuses(cmd *cobra.Command) []entry {
	no := cmd.Annotations[exitOne]
	if no == "" {
		no = "the input is wrong or the answer is no"
	}
	broken := "internal error"
	if needs := cmd.Annotations[exitThree]; needs != "" {
		broken += ", or " + needs
	}
	return []entry{{"0", "fine"}, {"1", no}, {"2", "wrong usage"}, {"3", broken}}
}

// filesOf returns the files of a command.
func filesOf(cmd *cobra.Command) (out []entry) {
	words := map[string]string{
		policy.DefaultPath: "the node's policy",
		names.Records:      "records of what was decided for the containers that run now",
		runc.DefaultConfig: "settings of batten-runc(8)",
		runc.CRIOConfig:    "settings of batten-runc(8) for CRI-O",
		seccompRoot:        "profiles of type Localhost",
	}
	for _, path := range strings.Fields(cmd.Annotations[files]) {
		text := words[path]
		if text == "" {
			text = "configuration of the engine"
		}
		out = append(out, entry{path, text})
	}
	return out
}

// commandPage writes the manual page of a command, in the order of man-pages(7): what
// cobra makes of it, and sections that cobra does not have. Its OPTIONS lack the names of
// values.
func commandPage(w io.Writer, cmd *cobra.Command) error {
	var roff bytes.Buffer
	none := time.Time{}
	header := &doc.GenManHeader{Section: "8", Date: &none, Source: "batten " + version.Version}
	if err := doc.GenMan(cmd, header, &roff); err != nil {
		return err
	}
	parts := strings.Split(strings.TrimSpace(roff.String()), "\n.SH ")
	own := map[string]string{}
	for _, part := range parts[1:] {
		title, body, _ := strings.Cut(part, "\n")
		own[title] = ".SH " + title + "\n" + strings.TrimSpace(body) + "\n"
	}
	title := strings.Replace(parts[0], none.Format(`"Jan 2006"`), `""`, 1)
	_, err := fmt.Fprint(w, title, "\n",
		own["NAME"], own["SYNOPSIS"], own["DESCRIPTION"],
		section("COMMANDS", commandsOf(cmd)), section("OPTIONS", options(cmd)),
		section("EXIT STATUS", exitStatuses(cmd)), section("FILES", filesOf(cmd)),
		strings.Replace(own["EXAMPLE"], "EXAMPLE", "EXAMPLES", 1),
		strings.TrimSpace(own["SEE ALSO"]), otherPages(cmd), "\n")
	return err
}

// commandsOf returns the subcommands of a command.
func commandsOf(cmd *cobra.Command) (out []entry) {
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			out = append(out, entry{"**" + c.Name() + "**", c.Short + "; see **batten-" + c.Name() + "**(8)"})
		}
	}
	return out
}

// options returns the flags of a command with the names of their values.
func options(cmd *cobra.Command) (out []entry) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		value, usage := pflag.UnquoteUsage(f)
		term := "**--" + f.Name + "**"
		if f.Shorthand != "" {
			term = "**-" + f.Shorthand + "**, " + term
		}
		if value != "" {
			term += " *" + value + "*"
		}
		if f.Value.Type() == "string" && f.DefValue != "" {
			usage += fmt.Sprintf("; by default %q", f.DefValue)
		}
		out = append(out, entry{term, usage})
	})
	return out
}

// section renders a section of a manual page; without entries there is none.
func section(title string, entries []entry) string {
	if len(entries) == 0 {
		return ""
	}
	// Without a title of the page the first section would become that.
	text := "% x 8\n# " + title + "\n\n"
	for _, e := range entries {
		text += e.term + "\n:   " + e.text + "\n\n"
	}
	_, roff, _ := strings.Cut(string(md2man.Render([]byte(text))), ".SH ")
	return ".SH " + strings.TrimSpace(roff) + "\n"
}

// otherPages are the pages of no subcommand that a command's page ends with.
func otherPages(cmd *cobra.Command) (out string) {
	for _, name := range slices.Sorted(maps.Keys(fixedPages)) {
		reads := name == "batten-policy" && strings.Contains(cmd.Annotations[files], policy.DefaultPath)
		if reads || !cmd.HasParent() {
			out += fmt.Sprintf(`, \fB%s(%s)\fP`, name, fixedPages[name])
		}
	}
	return out
}

// fixedPage renders a page that describes no subcommand.
func fixedPage(name, section string) ([]byte, error) {
	text, err := pageTexts.ReadFile("pages/" + name + "." + section + ".md")
	if err != nil {
		return nil, err
	}
	title := fmt.Sprintf("%% %q %q \"\" %q \"\"\n", strings.ToUpper(name), section, "batten "+version.Version)
	return md2man.Render(append([]byte(title), text...)), nil
}

// referencePage writes a command's page of docs/reference/cli.
func referencePage(w io.Writer, cmd *cobra.Command) error {
	var markdown bytes.Buffer
	if err := doc.GenMarkdown(cmd, &markdown); err != nil {
		return err
	}
	head, tail, _ := strings.Cut(markdown.String(), "### SEE ALSO")
	var more strings.Builder
	bullets(&more, "Exit status", exitStatuses(cmd))
	bullets(&more, "Files", filesOf(cmd))
	_, err := fmt.Fprintf(w, "%s%s### See also%s", head, more.String(), strings.TrimRight(tail, "\n")+"\n")
	return err
}

func bullets(w io.Writer, title string, entries []entry) {
	if len(entries) > 0 {
		fmt.Fprintf(w, "### %s\n\n", title)
	}
	for _, e := range entries {
		fmt.Fprintf(w, "* `%s`: %s\n", e.term, e.text)
	}
	if len(entries) > 0 {
		fmt.Fprintln(w)
	}
}

// unknownPage returns the error for a name of no page.
func unknownPage(name string) error {
	return usageError{fmt.Errorf("no page %q; there is one for each subcommand, batten-runc, containerd-shim-batten-v2 and batten-policy", name)}
}
