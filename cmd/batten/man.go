package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/batten-runtime/batten/shim/enforce"
)

// man prints a manual page in roff, of batten or of one subcommand.
func man(i *invocation) error {
	if err := i.parse(1); err != nil {
		return err
	}
	all := definitions()
	if i.flags.NArg() == 0 {
		return manPage(i.stdout, all)
	}
	for _, d := range all {
		if d.Name == i.flags.Arg(0) {
			return d.manPage(i.stdout)
		}
	}
	return usageError{fmt.Errorf("no subcommand %q", i.flags.Arg(0))}
}

// roff is text in which nothing is a request or an escape.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

const manExit = `.SH EXIT STATUS
0 fine, 1 the input is wrong or the answer is no, 2 wrong usage, 3 an error of Batten\(aqs own.
`

// manPage is batten(8).
func manPage(w io.Writer, all []described) error {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH BATTEN 8 \"\" \"batten %s\"\n.SH NAME\nbatten \\- the node\\(aqs last word on seccomp\n", roff(enforce.Version))
	b.WriteString(".SH SYNOPSIS\n.B batten\n.I COMMAND\n[flags] [arguments]\n.SH DESCRIPTION\nBatten holds every container on a node to one seccomp policy.\n.SH COMMANDS\n")
	for _, d := range all {
		fmt.Fprintf(&b, ".TP\n.B %s %s\n%s; see batten\\-%s(8)\n", roff(d.Name), roff(d.Args), roff(d.Summary), roff(d.Name))
	}
	b.WriteString(manExit)
	b.WriteString(".SH FILES\n.TP\n.I /etc/batten/policy.yaml\nthe node policy\n.TP\n.I /etc/batten/runc.toml\nthe settings of batten\\-runc\n.TP\n.I /run/batten\nthe records of what was decided\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// manPage is the page of one subcommand.
func (d described) manPage(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH BATTEN\\-%s 8 \"\" \"batten %s\"\n.SH NAME\nbatten\\-%s \\- %s\n", roff(strings.ToUpper(d.Name)), roff(enforce.Version), roff(d.Name), roff(d.Summary))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B batten %s\n[flags] %s\n", roff(d.Name), roff(d.Args))
	if len(d.Flags) > 0 {
		b.WriteString(".SH OPTIONS\n")
	}
	for _, f := range d.Flags {
		fmt.Fprintf(&b, ".TP\n.BI \\-\\-%s \" %s\"\n%s\n", roff(f.Name), roff(f.Value), roff(f.Usage))
	}
	b.WriteString(manExit + ".SH SEE ALSO\nbatten(8)\n")
	_, err := io.WriteString(w, b.String())
	return err
}
