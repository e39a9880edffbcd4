package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/batten-runtime/batten/install"
	"github.com/batten-runtime/batten/manifest"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/moby/sys/atomicwriter"
)

// seccompRoot is where the kubelet looks for profiles, below its --root-dir.
const seccompRoot = "/var/lib/kubelet/seccomp"

// linting is one call of batten lint.
type linting struct {
	*invocation
	env        manifest.Environment
	handlers   list
	containerd string
	fix, sarif bool
	strict     bool
}

// lint says what is wrong with profiles and manifests.
func lint(i *invocation) error {
	l := &linting{invocation: i}
	i.flags.StringVar(&l.env.SeccompRoot, "seccomp-root", seccompRoot, "`directory` in which the kubelet looks for profiles, or a copy of it")
	i.flags.StringVar(&l.env.PodSecurity, "pod-security", "baseline", "Pod Security `level` that namespaces enforce which are not among the files: privileged, baseline or restricted")
	i.flags.Var(&l.handlers, "handler", "`name` of a runtime handler that the nodes have; may be repeated; this node's if not given")
	i.flags.StringVar(&l.containerd, "containerd", install.DefaultContainerd, "`file` of containerd's configuration")
	i.flags.BoolVar(&l.fix, "fix", false, "mend in the files what can be mended mechanically")
	i.flags.BoolVar(&l.sarif, "sarif", false, "print SARIF 2.1.0, for CI systems")
	i.flags.BoolVar(&l.strict, "strict", false, "warnings count as errors")
	if err := i.wants(1, math.MaxInt); err != nil {
		return err
	}
	if !slices.Contains([]string{"privileged", "baseline", "restricted"}, l.env.PodSecurity) {
		return usageError{fmt.Errorf("--pod-security %q is not privileged, baseline or restricted", l.env.PodSecurity)}
	}
	if l.fix && slices.Contains(i.flags.Args(), "-") {
		return usageError{errors.New("--fix changes files; standard input is none")}
	}
	if err := l.look(); err != nil {
		return hinted{err, "--seccomp-root and --handler say what the node has"}
	}
	findings, err := l.files()
	if err == nil && l.fix && slices.ContainsFunc(findings, func(f manifest.Finding) bool { return len(f.Edits) > 0 }) {
		if err = l.mend(findings); err == nil {
			findings, err = l.files()
		}
	}
	if err != nil {
		return err
	}
	return l.tell(findings)
}

// look finds out what the node has.
func (l *linting) look() error {
	err := filepath.WalkDir(l.env.SeccompRoot, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if l.env.SeccompFiles == nil {
			l.env.SeccompFiles = []string{}
		}
		if rel, err := filepath.Rel(l.env.SeccompRoot, path); err == nil && !d.IsDir() {
			l.env.SeccompFiles = append(l.env.SeccompFiles, filepath.ToSlash(rel))
		}
		return nil
	})
	given := false
	l.flags.Visit(func(f *flag.Flag) { given = given || f.Name == "seccomp-root" })
	if err != nil && (given || !errors.Is(err, fs.ErrNotExist)) {
		return err
	}
	if l.env.Handlers = l.handlers; l.handlers != nil {
		return nil
	}
	handlers, err := install.Handlers(install.Configs{Containerd: l.containerd})
	for _, h := range handlers {
		if h.Engine == "containerd" {
			l.env.Handlers = append(l.env.Handlers, h.Name)
		}
	}
	return err
}

// files lints what the arguments name: what is no Kubernetes object that makes a
// pod is a profile.
func (l *linting) files() (out []manifest.Finding, err error) {
	var objects []manifest.Object
	for _, name := range l.flags.Args() {
		data, err := readAny(name, l.stdin)
		if err != nil {
			return nil, hinted{err, "name profiles, manifests, or - for standard input"}
		}
		found, err := manifest.Parse(name, data)
		if err == nil && slices.ContainsFunc(found, manifest.Object.IsKubernetes) && !slices.ContainsFunc(found, isProfile) {
			objects = append(objects, found...)
			continue
		}
		for _, f := range lintProfile(name, data) {
			out = append(out, manifest.Finding{Finding: f})
		}
	}
	return append(out, manifest.Lint(objects, l.env)...), nil
}

func isProfile(o manifest.Object) bool { return o.Kind == "SeccompProfile" }

// compileLimit is how long libseccomp may take: some profiles make it never
// return (docs/floor.md).
const compileLimit = 10 * time.Second

// lintProfile checks a profile as Batten does, and then has libseccomp compile it.
func lintProfile(name string, data []byte) document.Findings {
	p, findings := profile.ParseWrapped(name, data)
	if findings.Err() != nil {
		return findings
	}
	add := func(id, format string, args ...any) {
		findings = append(findings, document.Finding{ID: id, What: "profile", File: name, Line: 1, Column: 1, Message: fmt.Sprintf(format, args...)})
	}
	if p.Empty() {
		add("filters-nothing", "allows everything: runc installs no filter at all; where that is meant, say Unconfined")
		return findings
	}
	s := p.Resolve(profile.Target{KernelRelease: enforce.KernelRelease()})
	type result struct {
		program *filter.Program
		err     error
	}
	done := make(chan result, 1)
	go func() {
		program, err := filter.Compile(&s)
		done <- result{program, err}
	}()
	select {
	case r := <-done:
		switch {
		case r.err != nil:
			add("not-compiled", "libseccomp does not compile it, so runc refuses the container: %v", r.err)
		case len(r.program.Instructions) > filter.MaxInstructions:
			add("too-long", "compiles to %d instructions, and the kernel takes %d: no container starts; leave architectures out, or join rules", len(r.program.Instructions), filter.MaxInstructions)
		}
	case <-time.After(compileLimit):
		add("not-compiled", "libseccomp takes more than %v to compile it, and so would runc at each start", compileLimit)
	}
	return findings
}

// mend writes the edits of findings into their files.
func (l *linting) mend(findings []manifest.Finding) error {
	edits := make(map[string][]manifest.Edit)
	for _, f := range findings {
		edits[f.File] = append(edits[f.File], f.Edits...)
	}
	for _, name := range l.flags.Args() {
		if len(edits[name]) == 0 {
			continue
		}
		data, err := os.ReadFile(name)
		if err == nil {
			data, err = manifest.Apply(data, edits[name])
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		if err := atomicwriter.WriteFile(name, data, info.Mode().Perm()); err != nil {
			return hinted{err, "the file is as it was"}
		}
		fmt.Fprintf(l.stderr, "%s: mended\n", name)
		delete(edits, name)
	}
	return nil
}

// tell prints the findings and says whether the answer is no.
func (l *linting) tell(findings []manifest.Finding) error {
	var plain document.Findings
	fixable := 0
	for _, f := range findings {
		plain = append(plain, f.Finding)
		if len(f.Edits) > 0 {
			fixable++
		}
	}
	if l.sarif {
		if err := writeSARIF(l.stdout, findings); err != nil {
			return err
		}
	} else {
		for _, f := range plain {
			fmt.Fprintf(l.stdout, "%s [%s]\n", f, idOf(f))
		}
		fmt.Fprintf(l.stdout, "%s: %s", plural(l.flags.NArg(), "file"), count(plain))
		if fixable > 0 {
			fmt.Fprintf(l.stdout, "; --fix mends %d", fixable)
		}
		fmt.Fprintln(l.stdout)
	}
	if plain.Err() != nil || l.strict && len(plain) > 0 {
		return errNo
	}
	return nil
}

// idOf is a finding's ID; what makes a profile unreadable has none of its own.
func idOf(f document.Finding) string {
	if f.ID == "" {
		return "not-a-profile"
	}
	return f.ID
}
