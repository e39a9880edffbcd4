package lint

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"slices"

	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile/reader"
)

// Linter judges files for one node.
type Linter struct {
	// Environment is what is known of the node.
	manifest.Environment
	// Engine is the one that reads the profiles.
	Engine reader.Engine
	// Runtime calls judge with the machine and the OCI runtime that say which names of
	// system calls are skipped. Nil leaves those findings out.
	Runtime func(judge func(policy.Machine) document.Findings) (document.Findings, error)
}

// File is a file to judge.
type File struct {
	Name string
	Data []byte
	// Found is set for a file of a directory, which nobody named.
	Found bool
}

// Report is what there is to say about files.
type Report struct {
	Findings []manifest.Finding
	// Unseen are the parts of files in which nothing was judged.
	Unseen []manifest.Unseen
	// Files is the number of files, Judged of those in which something was, and Profiles of
	// the profiles in them.
	Files, Judged, Profiles int
}

// Files judges files. Each document of a file is what it is: a Kubernetes object, or else
// a profile.
func (l Linter) Files(files []File) (r Report, err error) {
	l.Localhost = l.localhost
	r.Files = len(files)
	var objects []manifest.Object
	for _, f := range files {
		judged := false
		for _, p := range parts(f) {
			seen, profile, err := l.part(&r, p)
			if err != nil {
				return r, err
			}
			objects = append(objects, seen...)
			judged = judged || profile || makesPods(seen)
		}
		if judged {
			r.Judged++
		}
	}
	r.Findings = append(r.Findings, manifest.Lint(objects, l.Environment)...)
	r.Unseen = append(r.Unseen, manifest.NotSeen(objects)...)
	r.Findings = inOrder(files, r.Findings)
	slices.SortStableFunc(r.Unseen, func(a, b manifest.Unseen) int {
		named := func(name string) int {
			return slices.IndexFunc(files, func(f File) bool { return f.Name == name })
		}
		return cmp.Or(cmp.Compare(named(a.File), named(b.File)), cmp.Compare(a.Line, b.Line))
	})
	return r, nil
}

// part judges a document that is no manifest, and returns the objects of one that is.
func (l Linter) part(r *Report, p part) (objects []manifest.Object, profile bool, err error) {
	if line := Unrendered(p.Data); p.err != nil && line > 0 { // one that can be read nevertheless is judged
		r.Findings = append(r.Findings, manifest.Finding{Finding: document.Finding{
			ID: "not-rendered", What: "manifest", File: p.Name, Line: line, Column: 1,
			Message: "a template that is not rendered, so nothing in it was looked at; render it first, such as: helm template CHART | batten lint -",
		}})
		return nil, false, nil
	}
	if p.objects != nil {
		items := l.items(r, p.objects)
		if others := without(p.objects); items > 0 || len(others) == len(p.objects) {
			return others, items > 0, err
		}
	}
	if what := notJudged(p); what != "" {
		r.Unseen = append(r.Unseen, manifest.Unseen{File: p.Name, Line: 1, Object: "the file", Why: string(what)})
		return nil, false, nil
	}
	if err := NotAProfile(p.Data); p.objects == nil && err != nil {
		r.Findings = append(r.Findings, manifest.Finding{Finding: document.Finding{
			What: "profile", File: p.Name, Message: err.Error(),
		}})
		return nil, false, nil
	}
	r.Profiles++
	findings, err := l.profile(p.File)
	r.Findings = append(r.Findings, findings...)
	return nil, true, err
}

// items judges the SeccompProfiles that are items of lists and returns their number. Their
// findings stand where the item begins.
func (l Linter) items(r *Report, objects []manifest.Object) (n int) {
	for _, o := range objects {
		if !isProfile(o) || !o.IsItem() {
			continue
		}
		n++
		text, err := o.Text()
		var findings []manifest.Finding
		if err == nil {
			findings, err = l.profile(File{Name: o.File, Data: text})
		}
		if err != nil {
			findings = []manifest.Finding{{Finding: document.Finding{What: "profile", File: o.File, Message: err.Error()}}}
		}
		for _, f := range findings {
			f.Line, f.Column = o.Node.Place()
			f.Message, f.Edits = o.String()+": "+f.Message, nil
			r.Findings = append(r.Findings, f)
		}
	}
	r.Profiles += n
	return n
}

// without returns the objects that are no profiles.
func without(objects []manifest.Object) []manifest.Object {
	return slices.DeleteFunc(slices.Clone(objects), isProfile)
}

// notJudged returns what a file is that nobody named, where that is not a profile.
func notJudged(p part) Sort {
	if p.objects != nil || !p.Found {
		return ""
	}
	switch sort := SortOf(p.Data); {
	case sort == Profile:
		return ""
	case sort != Unreadable:
		return sort
	case bytes.Contains(p.Data, []byte("defaultAction")), bytes.Contains(p.Data, []byte("SCMP_ACT_")):
		return ""
	}
	return Neither
}

// makesPods reports whether a pod is among what objects are or make.
func makesPods(objects []manifest.Object) bool {
	return slices.ContainsFunc(objects, func(o manifest.Object) bool {
		pods, _, err := o.Pods()
		return len(pods) > 0 || err != nil
	})
}

// localhost judges a profile of the node's as the kubelet's engine reads it.
func (l Linter) localhost(name string) document.Findings {
	file := filepath.Join(l.SeccompRoot, filepath.FromSlash(name))
	data, err := os.ReadFile(file)
	if err != nil {
		return document.Findings{{ID: "not-read", File: file, Line: 1, Column: 1, Message: err.Error()}}
	}
	by := l.Engine
	if by == reader.AsWritten || by == "" {
		by = reader.Containerd
	}
	_, findings := CheckProfile(file, data, by)
	return findings
}

// inOrder sorts findings by file, in the order of files, and by place, and drops those
// that say the same again.
func inOrder(files []File, findings []manifest.Finding) []manifest.Finding {
	number := make(map[string]int)
	for i, f := range files {
		if _, known := number[f.Name]; !known {
			number[f.Name] = i
		}
	}
	slices.SortStableFunc(findings, func(a, b manifest.Finding) int {
		return cmp.Or(
			cmp.Compare(number[a.File], number[b.File]),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
		)
	})
	said := make(map[document.Finding]bool)
	return slices.DeleteFunc(findings, func(f manifest.Finding) bool {
		again := said[f.Finding]
		said[f.Finding] = true
		return again
	})
}

func isProfile(o manifest.Object) bool { return o.Kind == "SeccompProfile" }
