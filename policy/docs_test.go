package policy_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
)

// keysOf returns the keys of a type and of what is below it, but for a profile's.
func keysOf(t *document.Type) (keys []string) {
	if t == nil || t == profile.Type {
		return nil
	}
	keys = keysOf(t.Items)
	for _, k := range t.Keys {
		keys = append(append(keys, k.Name), keysOf(k.Type)...)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Each key that the parser knows is in the reference, and no other.
func TestReferenceIsComplete(t *testing.T) {
	text, err := os.ReadFile("../docs/reference/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := keysOf(policy.Type)
	if len(keys) < 15 {
		t.Fatalf("only %d keys found: %q", len(keys), keys)
	}
	for _, key := range keys {
		if !strings.Contains(string(text), "`"+key+"`") {
			t.Errorf("docs/reference/policy.md does not tell of %q", key)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(keys, m[1]) {
			t.Errorf("docs/reference/policy.md tells of %q, which the parser does not know", m[1])
		}
	}
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(version: 1\n.*?)```")

// The policies in the documents are policies.
func TestDocumentedPolicies(t *testing.T) {
	for file, want := range map[string]int{"../README.md": 1, "../docs/reference/policy.md": 3} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		blocks := yamlBlock.FindAllSubmatch(text, -1)
		if len(blocks) != want {
			t.Errorf("%s has %d policies, want %d", file, len(blocks), want)
		}
		for _, block := range blocks {
			read := func(file string) (string, []byte, error) { return file, []byte(goodProfile), nil }
			if _, findings := policy.Parse(file, block[1], read); len(findings) > 0 {
				t.Errorf("%v", findings)
			}
		}
	}
}
