package main

import (
	"bytes"
	"testing"

	"github.com/batten-runtime/batten/manifest"
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
		if err := writeSARIF(&out, some); err != nil {
			t.Fatal(err)
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
