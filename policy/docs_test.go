package policy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
)

// keysOf are the keys that the parser knows: those of its literals of type
// map[string]func(document.Node).
func keysOf(t *testing.T, files ...string) []string {
	t.Helper()
	var keys []string
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if m, ok := literal.Type.(*ast.MapType); !ok || !isVisitor(m.Value) {
				return true
			}
			for _, e := range literal.Elts {
				key, err := strconv.Unquote(e.(*ast.KeyValueExpr).Key.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				keys = append(keys, key)
			}
			return true
		})
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func isVisitor(e ast.Expr) bool { _, ok := e.(*ast.FuncType); return ok }

// Each key that the parser knows is in the reference, and no other.
func TestReferenceIsComplete(t *testing.T) {
	text, err := os.ReadFile("../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := keysOf(t, "parse.go", "parse_rules.go")
	if len(keys) < 15 {
		t.Fatalf("only %d keys found: %q", len(keys), keys)
	}
	for _, key := range keys {
		if !strings.Contains(string(text), "`"+key+"`") {
			t.Errorf("docs/policy.md does not tell of %q", key)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(keys, m[1]) {
			t.Errorf("docs/policy.md tells of %q, which the parser does not know", m[1])
		}
	}
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(version: 1\n.*?)```")

// The policies in the documents are policies.
func TestDocumentedPolicies(t *testing.T) {
	for file, want := range map[string]int{"../README.md": 1, "../docs/policy.md": 1} {
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
