package lint

import (
	"bytes"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

// What is printed is SARIF by its own schema, with findings and without.
func TestSARIFIsValid(t *testing.T) {
	objects, err := manifest.Parse("pod.yaml", []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - {name: c, securityContext: {privileged: true, seccompProfile: {type: Unconfined}}}\n  - {name: d}\n"))
	if err != nil {
		t.Fatal(err)
	}
	findings := manifest.Lint(objects, manifest.Environment{})
	if len(findings) < 3 {
		t.Fatalf("only %d findings", len(findings))
	}
	for _, some := range [][]manifest.Finding{nil, findings} {
		var out bytes.Buffer
		if err := WriteSARIF(&out, Report{Findings: some}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "-1") || strings.Contains(out.String(), "[]") != (some == nil) {
			t.Errorf("fields that say nothing: %s", out.String())
		}
		report, err := sarif.FromBytes(out.Bytes())
		if err != nil {
			t.Fatalf("%v: %s", err, out.String())
		}
		if err := report.Validate(); err != nil {
			t.Errorf("%v: %s", err, out.String())
		}
		if got := len(report.Runs[0].Results); got != len(some) {
			t.Errorf("%d results, want %d", got, len(some))
		}
	}
}

// Names of files are escaped, and each of several keeps its own.
func TestSARIFFiles(t *testing.T) {
	var r Report
	names := map[string]string{"a/b.yaml": "a/b.yaml", "/x/y z.json": "/x/y%20z.json", "50%#é.yaml": "50%25%23%C3%A9.yaml", "c:d.yaml": "./c:d.yaml"}
	for name := range names {
		finding := manifest.Finding{Finding: document.Finding{ID: "privileged", File: name, Line: 1, Column: 1, Message: "m"}}
		finding.Edits = []manifest.Edit{{Line: 1, Column: 1, New: "x"}}
		r.Findings = append(r.Findings, finding)
		r.Unseen = append(r.Unseen, manifest.Unseen{File: name, Line: 1, Object: "the file", Why: "w"})
	}
	var out bytes.Buffer
	if err := WriteSARIF(&out, r); err != nil {
		t.Fatal(err)
	}
	for name, want := range names {
		if n := strings.Count(out.String(), `"uri": "`+want+`"`); n != 3 {
			t.Errorf("%s: %q occurs %d times, want 3: %s", name, want, n, out.String())
		}
	}
	report, err := sarif.FromBytes(out.Bytes())
	if err == nil {
		err = report.Validate()
	}
	if err != nil {
		t.Error(err)
	}
}
