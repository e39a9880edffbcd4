package main

import (
	"fmt"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
)

// check reads a policy as the shim would and prints every finding.
func check(i *invocation) error {
	draft := i.flags.Bool("draft", false, "the file is not in place yet: its owner and mode do not matter")
	strict := i.flags.Bool("strict", false, "warnings count as errors")
	if err := i.parse(1); err != nil {
		return err
	}
	path := policy.DefaultPath
	if i.flags.NArg() == 1 {
		path = i.flags.Arg(0)
	}
	p, findings := loadPolicy(path, *draft)
	for _, f := range findings {
		fmt.Fprintln(i.stdout, f)
	}
	if findings.Err() != nil || *strict && len(findings) > 0 {
		fmt.Fprintf(i.stdout, "%s: %s\n", path, count(findings))
		return errNo
	}
	fmt.Fprintf(i.stdout, "%s: fine, %s, %s\n", p.Path, plural(len(p.Rules), "rule"), plural(len(findings), "warning"))
	return nil
}

func loadPolicy(path string, draft bool) (*policy.Policy, document.Findings) {
	return policy.Loader{AnyOwner: draft}.Load(path)
}

func count(findings document.Findings) string {
	return plural(len(findings.Errors()), "error") + ", " + plural(len(findings.Warnings()), "warning")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
