package manifesttest_test

import (
	"testing"

	"github.com/batten-runtime/batten/internal/manifest/manifesttest"
	"go.yaml.in/yaml/v3"
)

// A number always has the same manifest, which is YAML.
func TestGenerate(t *testing.T) {
	shared, json := 0, 0
	for n := range uint64(300) {
		m := manifesttest.Generate(n)
		if again := manifesttest.Generate(n); again != m {
			t.Fatalf("%d is two manifests:\n%s\n%s", n, m.Text, again.Text)
		}
		var v any
		if err := yaml.Unmarshal([]byte(m.Text), &v); err != nil {
			t.Errorf("%d: %v\n%s", n, err, m.Text)
		}
		if m.Shared {
			shared++
		}
		if m.JSON {
			json++
		}
	}
	if shared == 0 || json == 0 || shared+json >= 300 {
		t.Errorf("%d have anchors and %d are JSON, of 300", shared, json)
	}
}

// There are pods that are refused and pods that are not, each with a name of its own.
func TestRefused(t *testing.T) {
	names, refused := map[string]bool{}, 0
	for _, p := range manifesttest.Refused() {
		if names[p.Name] {
			t.Errorf("two pods have the name %q", p.Name)
		}
		names[p.Name] = true
		if p.Why != "" {
			refused++
		}
	}
	if refused == 0 || refused == len(names) {
		t.Errorf("%d of %d are refused", refused, len(names))
	}
}
