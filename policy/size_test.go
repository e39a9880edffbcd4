package policy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/policy"
)

// manyRules is a policy of n rules of which none matches but the last.
func manyRules(n int) string {
	var b strings.Builder
	b.WriteString("version: 1\nrules:\n")
	for i := range n {
		fmt.Fprintf(&b, "- name: rule %d\n  match: {pod: {namespace: [ns-%d-*], name: [\"app-*\", job-%d]}, container: [main]}\n  absent: Deny\n", i, i, i)
	}
	return b.String()
}

func BenchmarkLoad1000Rules(b *testing.B) {
	path := filepath.Join(b.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte(manyRules(1000)), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, findings := (policy.Loader{Quick: true}).Load(path); findings.Err() != nil {
			b.Fatal(findings)
		}
	}
}

func BenchmarkDecide1000Rules(b *testing.B) {
	p, _ := policy.Parse("p.yaml", []byte(manyRules(1000)), readNothing)
	r := policy.Request{ContainerdNamespace: "k8s.io", Annotations: cri("container", "ns-999-x", "app-1", "main", "i")}
	for b.Loop() {
		if d := p.Decide(r); d.Rule != "rule 999" {
			b.Fatal(d)
		}
	}
}

// Generous bounds: they catch a quadratic step, not a busy machine. The
// figures are the benchmarks'.
func TestManyRulesAreNoConcern(t *testing.T) {
	began := time.Now()
	p := parse(t, manyRules(5000))
	if d := p.Decide(policy.Request{ContainerdNamespace: "k8s.io", Annotations: cri("container", "ns-4999-x", "app-1", "main", "i")}); d.Rule != "rule 4999" {
		t.Errorf("got %+v", d)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("5,000 rules took %v", took)
	}
}
