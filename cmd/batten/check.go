package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/spf13/cobra"
)

func newCheck() *cobra.Command {
	var draft, strict bool
	cmd := &cobra.Command{
		Use:   "check [flags] [FILE]",
		Short: "check a policy and its profiles",
		Long: `batten check reads a policy as the shim does, with the profiles that it names,
and prints every error and warning with its file, line and column. Without FILE
it reads the node's policy. The drop-ins of the node are read with each policy; a FILE in
a directory policy.d is a drop-in, and is read by itself. Notes
say which rules lift the policy's floor, which floors none lifts, and where a profile
that is made from another is not exactly what is written.`,
		Example:     "  batten check\n  batten check --draft --strict policy.yaml",
		SuggestFor:  []string{"validate", "test"},
		Annotations: map[string]string{exitOne: "the policy has an error, or with --strict a warning", files: policy.DefaultPath},
		Args:        between(0, 1),
	}
	f := cmd.Flags()
	f.BoolVar(&draft, "draft", false, "the file is not installed yet: do not check its owner and mode")
	f.BoolVar(&strict, "strict", false, "warnings count as errors")
	runtime := newOCIRuntime(cmd)
	cmd.ValidArgsFunction = once(completeExtensions("yaml", "yml"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path := policy.DefaultPath
		if len(args) == 1 {
			path = args[0]
		}
		return check(cmd.OutOrStdout(), path, draft, strict, runtime)
	}
	return cmd
}

// check reads a policy as the shim would and prints every finding.
func check(w io.Writer, path string, draft, strict bool, runtime *ociRuntime) error {
	p, findings := loadPolicy(path, draft)
	dropIn := isDropIn(path)
	if dropIn {
		p, findings = policy.Loader{AnyOwner: draft}.LoadDropIn(path)
	}
	var notes []string
	if findings.Err() == nil {
		skipped, err := runtime.skippedNames(p.Skipped)
		if err != nil {
			return err
		}
		unmade, said := p.Made(policy.Machine{})
		findings, notes = slices.Concat(findings, skipped, unmade, p.HighBits(), p.Advice()), said
	}
	for _, f := range findings {
		fmt.Fprintln(w, f)
	}
	if findings.Err() != nil || strict && len(findings) > 0 {
		fmt.Fprintf(w, "%s: %s\n", path, count(findings))
		return errNo
	}
	for _, note := range notes {
		fmt.Fprintf(w, "%s: note: %s\n", p.Path, note)
	}
	checkFloors(w, p)
	if dropIn {
		fmt.Fprintf(w, "%s: fine, a drop-in, %s\n", path, plural(len(findings), "warning"))
		return nil
	}
	fmt.Fprintf(w, "%s: fine, %s, %s\n", p.Path, plural(len(p.Rules), "rule"), plural(len(findings), "warning"))
	return nil
}

// isDropIn reports whether a file is a drop-in, by the name of its directory.
func isDropIn(path string) bool {
	whole, err := filepath.Abs(path)
	return err == nil && filepath.Base(filepath.Dir(whole)) == filepath.Base(policy.DropInDir)
}

// checkFloors says which rules lift the policy's floor, and which floors hold all the same.
func checkFloors(w io.Writer, p *policy.Policy) {
	for _, r := range p.Rules {
		if r.Floor == policy.None && p.Floor != policy.None {
			fmt.Fprintf(w, "%s: note: rule %q lifts the floor %s\n", p.Path, r.Name, p.Floor)
		}
	}
	for _, m := range p.Mandatory {
		fmt.Fprintf(w, "%s: note: no container runs looser than %s, whatever the rules say\n", m.File, m.Name)
		for _, e := range m.Except {
			fmt.Fprintf(w, "%s: note: but %s leaves out %s\n", m.File, m.Name, e)
		}
	}
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
	return fmt.Sprintf("%d %s", n, plurals(what))
}

func plurals(what string) string {
	if strings.HasSuffix(what, "s") {
		return what + "es"
	}
	return what + "s"
}
