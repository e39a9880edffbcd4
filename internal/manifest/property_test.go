package manifest_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/internal/manifest/manifesttest"
	"go.yaml.in/yaml/v3"
	loose "sigs.k8s.io/yaml"
)

// TestFixNeverWorse repairs thousands of manifests. The repaired one has no key twice,
// and says what the old one said but for its profiles; what was not repaired is there
// byte for byte. API server and kubelet are asked in integration/kubernetes.
func TestFixNeverWorse(t *testing.T) {
	n := 3000
	if testing.Short() {
		n = 1000
	}
	repaired, plain := 0, 0
	for seed := range n {
		m := manifesttest.Generate(uint64(seed))
		text := m.Text
		before := meant(t, text)
		if before == nil {
			t.Fatalf("seed %d: not valid:\n%s", seed, text)
		}
		fixed, kept := fix(t, text)
		after := meant(t, fixed)
		if !reflect.DeepEqual(withoutProfiles(after), withoutProfiles(before)) {
			t.Fatalf("seed %d: says something else:\n%s\nafter --fix:\n%s", seed, text, fixed)
		}
		if m.JSON && !json.Valid([]byte(fixed)) {
			t.Fatalf("seed %d: no JSON any more:\n%s\nafter --fix:\n%s", seed, text, fixed)
		}
		if kept && !within(text, fixed) {
			t.Fatalf("seed %d: something is gone:\n%s\nafter --fix:\n%s", seed, text, fixed)
		}
		if !m.Shared {
			plain++
			if left := unprotected(t, fixed); left == "" {
				repaired++
			} else {
				t.Logf("seed %d: left: %s\n%s\nafter --fix:\n%s", seed, left, text, fixed)
			}
		}
	}
	if repaired < plain*99/100 {
		t.Errorf("%d of %d manifests without anchors are repaired", repaired, plain)
	}
	t.Logf("%d of %d manifests without anchors are repaired", repaired, plain)
}

// fix repairs a text as lint --fix does, until nothing is left to repair. Kept is set if
// all that was there is still there.
func fix(t *testing.T, text string) (fixed string, kept bool) {
	t.Helper()
	kept = true
	for range 5 {
		var edits []manifest.Edit
		for _, f := range lint(t, text, node) {
			edits = append(edits, f.Edits...)
			for _, e := range f.Edits {
				kept = kept && (e.Old == "" || strings.Contains(e.New, e.Old))
			}
		}
		if edits == nil {
			return text, kept
		}
		data, err := manifest.Apply([]byte(text), edits)
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		text = string(data)
	}
	t.Fatalf("there is no end to what --fix repairs:\n%s", text)
	return "", false
}

// meant returns what the API server makes of a text; nil if a key is there twice.
func meant(t *testing.T, text string) (v any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Log(err)
		return nil // the strict JSON reader takes a merged key that is overridden for one
	}
	data, err := loose.YAMLToJSON([]byte(text))
	if err != nil {
		t.Log(err)
		return nil
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// withoutProfiles returns a manifest without all that chooses a profile.
func withoutProfiles(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any)
		for key, value := range v {
			value = withoutProfiles(value)
			m, _ := value.(map[string]any)
			if key == "securityContext" {
				delete(m, "seccompProfile")
			}
			empty := len(m) == 0 && (key == "securityContext" || key == "annotations")
			if !empty && !strings.Contains(key, "seccomp.security.alpha") {
				out[key] = value
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = withoutProfiles(v[i])
		}
		return out
	}
	return v
}

// within reports whether new is old with something put in.
func within(old, text string) bool {
	rest := []rune(old)
	for _, r := range text {
		if len(rest) > 0 && rest[0] == r {
			rest = rest[1:]
		}
	}
	return len(rest) == 0
}

// unprotected returns the findings that --fix is there to repair.
func unprotected(t *testing.T, text string) string {
	t.Helper()
	var out []string
	for _, f := range lint(t, text, node) {
		switch f.ID {
		case "no-profile", "unconfined", "overrides-pod", "annotation-ignored", "not-a-pod":
			out = append(out, f.String())
		}
	}
	return strings.Join(out, "\n")
}
