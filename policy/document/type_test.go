package document_test

import (
	"fmt"
	"testing"

	"github.com/batten-runtime/batten/policy/document"
)

// A key without a reader and a reader without a key are bugs, which no file hides.
func TestKeysAndReadersDiffer(t *testing.T) {
	word := func(document.Node) {}
	for _, tt := range []struct {
		name     string
		visitors map[string]func(document.Node)
		want     any
	}{
		{name: "same", visitors: map[string]func(document.Node){"numbers": word, "word": word}},
		{name: "no reader", visitors: map[string]func(document.Node){"numbers": word}, want: `bug: nobody reads the key "word"`},
		{
			name: "no key", visitors: map[string]func(document.Node){"numbers": word, "word": word, "wrod": word},
			want: "bug: 2 keys and 3 that read them",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != tt.want {
					t.Errorf("got %v, want %v", got, tt.want)
				}
			}()
			var findings document.Findings
			document.ParseYAML("test", "f", []byte("word: alpha"), &findings).Fields(numbersAndWord, tt.visitors)
		})
	}
}

func ExampleNode_Fields() {
	var findings document.Findings
	rule := &document.Type{Kind: document.Mapping, Keys: []document.Key{
		{Name: "name", Doc: "The rule's name.", Type: &document.Type{Kind: document.String}, Missing: "has no name"},
	}}
	n := document.ParseYAML("policy", "policy.yaml", []byte("{}"), &findings)
	n.Fields(rule, map[string]func(document.Node){
		"name": func(v document.Node) { fmt.Println(v.String()) },
	})
	fmt.Println(findings.Err())
	// Output: policy "policy.yaml":1:1: has no name
}
