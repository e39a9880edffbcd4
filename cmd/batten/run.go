package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// Exit statuses.
const (
	exitFine  = 0
	exitNo    = 1 // the input is wrong, or the answer is no
	exitUsage = 2
	exitOurs  = 3
)

// command is one subcommand.
type command struct {
	name, args, summary string
	run                 func(*invocation) error
}

// commands are listed in the order of the help.
func commands() []command {
	return []command{
		{"check", "[FILE]", "check a policy and its profiles", check},
		{"explain", "[CONFIG.JSON|MANIFEST]", "say what the policy decides for a container or a pod, and why", explain},
		{"lint", "PROFILE|MANIFEST...", "say what profiles and Kubernetes manifests really do", lint},
		{"floor", "FLOOR PROFILE", "print the profile that PROFILE becomes under FLOOR", floor},
		{"diff", "A B", "say what B newly allows and denies, exit 1 if anything", diff},
		{"prove", "--floor FLOOR PROFILE...", "prove that no profile is looser than FLOOR", prove},
		{"compile", "PROFILE", "compile a profile as runc does, and say what comes of it", compile},
		{"verify", "[ID...]", "prove the filters that the kernel holds for running containers", verify},
		{"records", "", "show what was decided for the containers that run now", records},
		{"status", "", "say whether the node is safe, exit 1 if something runs below the policy", showStatus},
		{"install", "--containerd|--docker|--podman", "put Batten into an engine's configuration", installs},
		{"uninstall", "--containerd|--docker|--podman", "take it out again", uninstalls},
		{"daemonset", "", "put Batten on a node of a cluster and keep it there: what deploy/kubernetes runs", daemonSet},
		{"completion", "bash|zsh|fish", "print what a shell completes the command line by", completion},
		{"man", "[COMMAND]", "print the manual page, in roff", man},
		{"version", "", "print Batten's version", printVersion},
	}
}

// invocation is one call of a subcommand.
type invocation struct {
	flags          *flag.FlagSet
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
}

// parse reads flags and checks that between 0 and most arguments follow.
func (i *invocation) parse(most int) error {
	if err := i.flags.Parse(i.args); err != nil {
		return usageError{err}
	}
	if i.flags.NArg() > most {
		return usageError{fmt.Errorf("unexpected argument %q", i.flags.Arg(most))}
	}
	return nil
}

// usageError is a call that cannot be understood.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errNo ends with exitNo; what there is to say has been said.
var errNo = errors.New("the answer is no")

// hinted is an error with advice on a line of its own.
type hinted struct {
	error
	hint string
}

// run is the whole program. Only main ends the process.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		help(stdout)
		if len(args) == 0 {
			return exitUsage
		}
		return exitFine
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.call(args[1:], stdin, stdout, stderr)
		}
	}
	fmt.Fprintf(stderr, "batten: unknown command %q\nhint: batten help lists the commands\n", args[0])
	return exitUsage
}

func (c command) call(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	i := c.invoke(args, stdin, stdout, stderr)
	return c.report(i, c.run(i))
}

func (c command) invoke(args []string, stdin io.Reader, stdout, stderr io.Writer) *invocation {
	i := &invocation{flags: flag.NewFlagSet(c.name, flag.ContinueOnError), args: args, stdin: stdin, stdout: stdout, stderr: stderr}
	i.flags.SetOutput(io.Discard)
	i.flags.Usage = func() {}
	return i
}

// report turns a subcommand's error into words and an exit status.
func (c command) report(i *invocation, err error) int {
	var usage usageError
	var advice hinted
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, flag.ErrHelp):
		c.help(i)
		return exitFine
	case errors.Is(err, errNo):
		return exitNo
	case errors.As(err, &usage):
		fmt.Fprintf(i.stderr, "batten: %s: %v\nhint: batten %s -h says how it is used\n", c.name, usage.error, c.name)
		return exitUsage
	case errors.As(err, &advice):
		fmt.Fprintf(i.stderr, "batten: %v\nhint: %s\n", advice.error, advice.hint)
		return exitNo
	}
	fmt.Fprintf(i.stderr, "batten: %v\n", err)
	return exitOurs
}

func (c command) help(i *invocation) {
	fmt.Fprintf(i.stdout, "usage: batten %s [flags] %s\n\n%s\n", c.name, c.args, c.summary)
	header := "\nflags:\n"
	i.flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(i.stdout, "%s  --%s %s\n        %s\n", header, f.Name, value, usage)
		header = ""
	})
}

func help(w io.Writer) {
	fmt.Fprint(w, "batten: the node's last word on seccomp\n\nusage: batten COMMAND [flags] [arguments]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s %-30s %s\n", c.name, c.args, c.summary)
	}
	fmt.Fprint(w, "\nexit status: 0 fine, 1 the input is wrong or the answer is no, 2 wrong usage, 3 ours\n")
}
