package main

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/lint"
	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/policy/profile/reader"
	"github.com/spf13/cobra"
)

// seccompRoot is where the kubelet looks for profiles, below its --root-dir.
const seccompRoot = "/var/lib/kubelet/seccomp"

// linting is one call of batten lint.
type linting struct {
	*cobra.Command
	names       []string // the arguments
	node        lint.Node
	podSecurity string
	fix         bool
	json, sarif bool
	strict      bool
	repaired    []string
	runtime     *ociRuntime
	engine      *engineFlag
}

func newLint() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lint [flags] PROFILE|MANIFEST|DIRECTORY...",
		Short: "say what profiles and Kubernetes manifests really do",
		Long: `batten lint prints what is wrong with seccomp profiles and with the seccomp fields
of Kubernetes manifests: what has no effect, what does something else than it says,
and what a node refuses. Of a directory it takes the files that end with .json, .yaml and
.yml, and of a file each document. It names the objects in which it found no pod.
docs/reference/findings.md explains each finding.`,
		Example:     "  batten lint profiles/ deploy/\n  batten lint --fix pod.yaml\n  kubectl get deployment shop -o yaml | batten lint -",
		Annotations: map[string]string{exitOne: "there is an error, or with --strict a warning", files: seccompRoot + "\n" + install.DefaultContainerd},
		Args:        between(1, math.MaxInt),
	}
	l := &linting{Command: cmd}
	f := cmd.Flags()
	f.StringVar(&l.node.SeccompRoot, "seccomp-root", seccompRoot, "`directory` in which the kubelet looks for profiles, or a copy of it")
	f.StringVar(&l.podSecurity, "pod-security", "baseline", "Pod Security `level` that namespaces enforce which are not among the files: privileged, baseline or restricted")
	f.StringArrayVar(&l.node.Handlers, "handler", nil, "`name` of a runtime handler that the nodes have; may be repeated; this node's if not given")
	f.StringVar(&l.node.Containerd, "containerd", "", "`file` of containerd's configuration; by default that of the node's distribution")
	f.BoolVar(&l.fix, "fix", false, "repair in the files what can be repaired mechanically")
	f.BoolVar(&l.sarif, "sarif", false, "print SARIF 2.1.0, for CI systems")
	f.BoolVar(&l.json, "json", false, "print JSON; batten schema lint says its fields")
	f.BoolVar(&l.strict, "strict", false, "warnings count as errors")
	l.engine = newEngineFlag(cmd, reader.AsWritten, "profiles that are files of their own")
	l.runtime = newOCIRuntime(cmd)
	completeFiles(cmd, map[string][]string{"containerd": {"toml"}}, "seccomp-root")
	completeFlag(cmd, "pod-security", completeWords(podSecurityLevels...))
	completeFlag(cmd, "handler", completeHandlers)
	cmd.ValidArgsFunction = completeExtensions("json", "yaml", "yml")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		l.names = args
		return l.lint()
	}
	return cmd
}

var podSecurityLevels = []string{"privileged", "baseline", "restricted"}

// lint says what is wrong with profiles and manifests.
func (l *linting) lint() error {
	if !slices.Contains(podSecurityLevels, l.podSecurity) {
		return usageError{fmt.Errorf("--pod-security %q is not privileged, baseline or restricted", l.podSecurity)}
	}
	if l.json && l.sarif {
		return usageError{errors.New("--json and --sarif do not go together")}
	}
	if l.fix && slices.Contains(l.names, "-") {
		return usageError{errors.New("--fix changes files; standard input is none")}
	}
	engine, err := l.engine.engine()
	if err != nil {
		return err
	}
	l.node.SeccompRequired = l.Flags().Changed("seccomp-root")
	l.node.ContainerdRequired = l.Flags().Changed("containerd")
	env, notes, err := l.node.Look()
	if err != nil {
		return hinted{err, "--seccomp-root and --handler say what the node has"}
	}
	for _, note := range notes {
		fmt.Fprintf(l.ErrOrStderr(), "note: %s\n", note)
	}
	env.PodSecurity = l.podSecurity
	linter := lint.Linter{Environment: env, Engine: engine, Runtime: l.runtime.skippedNames}
	report, err := l.files(linter)
	for round := 0; err == nil && l.fix && round < maxRounds && slices.ContainsFunc(report.Findings, repairable); round++ {
		if err = l.repair(report.Findings); err == nil {
			report, err = l.files(linter)
		}
	}
	if err != nil {
		return err
	}
	return l.tell(report)
}

// maxRounds bounds how often files are repaired: a repair may wait for another one that
// changes the same place.
const maxRounds = 5

func repairable(f manifest.Finding) bool { return len(f.Edits) > 0 }

// files reads the arguments and judges them.
func (l *linting) files(linter lint.Linter) (lint.Report, error) {
	found, err := lint.Find(l.names)
	if err != nil {
		return lint.Report{}, hinted{err, "name profiles, manifests, directories of them, or - for standard input"}
	}
	for i, f := range found {
		if found[i].Data, err = readAny(f.Name, l.InOrStdin()); err != nil {
			return lint.Report{}, hinted{err, "name profiles, manifests, directories of them, or - for standard input"}
		}
	}
	return linter.Files(found)
}

// repair writes what can be repaired, and says in which files.
func (l *linting) repair(findings []manifest.Finding) error {
	var names []string
	for _, f := range findings {
		names = append(names, f.File)
	}
	repaired, err := lint.Repair(names, findings)
	for _, name := range repaired {
		if !slices.Contains(l.repaired, name) {
			fmt.Fprintf(l.ErrOrStderr(), "%s: mended\n", name)
		}
	}
	l.repaired = append(l.repaired, repaired...)
	if err != nil {
		return hinted{err, "the file is as it was"}
	}
	return nil
}

// tell prints what was found and says whether the answer is no.
func (l *linting) tell(r lint.Report) (err error) {
	switch {
	case l.sarif:
		err = lint.WriteSARIF(l.OutOrStdout(), r)
	case l.json:
		err = lint.WriteJSON(l.OutOrStdout(), r)
	default:
		l.tellText(r)
	}
	if err != nil {
		return err
	}
	if plain := r.Plain(); plain.Err() != nil || l.strict && len(plain) > 0 {
		return errNo
	}
	return nil
}

// tellText prints a line for each finding, for each object in which nothing was looked at,
// and for all together.
func (l *linting) tellText(r lint.Report) {
	out := l.OutOrStdout()
	for _, f := range r.Plain() {
		fmt.Fprintf(out, "%s [%s]\n", f, lint.ID(f))
	}
	for _, f := range r.Findings {
		if l.fix && f.NotRepaired != "" {
			fmt.Fprintf(out, "note: %s:%d:%d: not repaired: %s\n", f.File, f.Line, f.Column, f.NotRepaired)
		}
	}
	for _, u := range r.Unseen {
		fmt.Fprintf(out, "note: %s:%d: %s: %s\n", u.File, u.Line, u.Object, u.Why)
	}
	fmt.Fprintf(out, "%s: ", plural(r.Files, "file"))
	fixable := slices.DeleteFunc(slices.Clone(r.Findings), func(f manifest.Finding) bool { return !repairable(f) })
	switch {
	case r.Judged == 0 && len(r.Findings) == 0:
		fmt.Fprint(out, "nothing was judged: no pod and no profile is in there")
	default:
		fmt.Fprint(out, count(r.Plain()))
	}
	if len(fixable) > 0 {
		fmt.Fprintf(out, "; --fix mends %d", len(fixable))
	}
	if unjudged := r.Files - r.Judged; unjudged > 0 && (r.Judged > 0 || len(r.Findings) > 0) {
		fmt.Fprintf(out, "; nothing was judged in %s", plural(unjudged, "file"))
	}
	fmt.Fprintln(out)
	l.tellEngine(r.Profiles)
}

// tellEngine says how the profiles were read.
func (l *linting) tellEngine(profiles int) {
	if profiles == 0 {
		return
	}
	if engine := reader.Engine(l.engine.name); engine == reader.AsWritten {
		fmt.Fprintln(l.OutOrStdout(), "note: profiles are read as they are written; --engine containerd, docker, podman or cri-o says what an engine makes of them")
	} else {
		fmt.Fprintf(l.OutOrStdout(), "note: profiles are read as by %s\n", engine)
	}
}
