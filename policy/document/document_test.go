package document_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/document"
)

var numbersAndWord = &document.Type{Kind: document.Mapping, Keys: []document.Key{
	{Name: "numbers", Type: &document.Type{Kind: document.List, Items: &document.Type{Kind: document.Integer, Max: 255}}},
	{Name: "word", Type: &document.Type{Kind: document.String, Words: []string{"alpha", "beta"}}},
}}

// read is a document of one list of numbers and one word.
func read(n document.Node) (numbers []uint64, word string) {
	n.Fields(numbersAndWord, map[string]func(document.Node){
		"numbers": func(v document.Node) {
			for _, item := range v.Items() {
				numbers = append(numbers, item.Uint(8))
			}
		},
		"word": func(v document.Node) { word = v.Word() },
	})
	return numbers, word
}

func TestYAMLAndJSONFindTheSame(t *testing.T) {
	const text = "{\"numbers\": [1, 300, \"x\",\n  -1, 1.5, null],\n\t\"word\": \"alpa\", \"wrod\": 1, \"word\": \"beta\"}"
	want := strings.TrimPrefix(`
test "f":1:17: numbers[1]: 300 is not a whole number from 0 to 2^8-1
test "f":1:22: numbers[2]: is a string, want a whole number
test "f":2:3: numbers[3]: -1 is not a whole number from 0 to 2^8-1
test "f":2:7: numbers[4]: 1.5 is not a whole number from 0 to 2^8-1
test "f":2:12: numbers[5]: is empty, want a whole number
test "f":3:10: word: unknown value "alpa", want alpha, beta; did you mean "alpha"?
test "f":3:18: unknown key "wrod"; did you mean "word"?
test "f":3:29: key "word" occurs twice, first in line 3; remove one`, "\n")
	for name, parse := range map[string]func(string, string, []byte, *document.Findings) document.Node{
		"JSON": document.ParseJSON, "YAML": document.ParseYAML,
	} {
		var findings document.Findings
		numbers, _ := read(parse("test", "f", []byte(text), &findings))
		want := want
		if name == "YAML" { // which has floats of its own
			want = strings.Replace(want, "1.5 is not a whole number from 0 to 2^8-1", "is a number, want a whole number", 1)
		}
		if got := findings.Error(); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		if len(numbers) != 6 || numbers[0] != 1 {
			t.Errorf("%s: numbers %v", name, numbers)
		}
	}
}

func TestYAMLErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{
			name: "empty",
			want: `test "f": the file is empty, or has only comments; remove it, or write at least "version: 1"`,
		},
		{
			name: "only a comment", text: "# nothing\n",
			want: `test "f": the file is empty, or has only comments; remove it, or write at least "version: 1"`,
		},
		{
			name: "syntax", text: "a: b\n  c: d\n",
			want: `test "f":2:1: not valid YAML: mapping values are not allowed in this context`,
		},
		{
			name: "tab", text: "a:\n\tb: c\n",
			want: `test "f":2:1: not valid YAML: found character that cannot start any token`,
		},
		{
			name: "two documents", text: "word: alpha\n---\nword: beta\n",
			want: `test "f":2:1: a second document begins here; write one document a file`,
		},
		{
			name: "a NUL", text: "word: \"alpha\\0x\"\n",
			want: "test \"f\":1:7: word: holds a NUL, where a runtime written in C ends it; remove it\ntest \"f\":1:7: word: unknown value \"alpha\\x00x\", want alpha, beta; did you mean \"alpha\"?",
		},
		{
			name: "an alias", text: "numbers: &x [1]\nword: *x\n",
			want: `test "f":2:7: word: is an alias, want a string`,
		},
		{
			name: "a merge", text: "<<: {word: alpha}\n",
			want: `test "f":1:1: a key is of type !!merge, want a string`,
		},
		{name: "a scalar", text: "word", want: `test "f":1:1: is a string, want a mapping`},
		{
			name: "a number as key", text: "1: x\n",
			want: `test "f":1:1: a key is a number, want a string`,
		},
		{name: "empty word", text: `word: ""`, want: `test "f":1:7: word: is empty`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var findings document.Findings
			n := document.ParseYAML("test", "f", []byte(tt.text), &findings)
			if findings.Err() == nil {
				read(n)
			}
			if got := findings.Error(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestJSONErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{
			name: "deep", text: strings.Repeat("[", 200) + strings.Repeat("]", 200),
			want: `test "f":1:102: nested more than 100 deep`,
		},
		{
			name: "two values", text: "{} {}",
			want: `test "f":1:4: not valid JSON at byte 4: invalid character '{' after top-level value`,
		},
	} {
		var findings document.Findings
		document.ParseJSON("test", "f", []byte(tt.text), &findings)
		if got := findings.Error(); got != tt.want {
			t.Errorf("%s: got  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestSuggest(t *testing.T) {
	words := []string{"absent", "present", "mode", "RuntimeDefault"}
	for _, tt := range []struct{ word, want string }{
		{word: "absnet", want: `; did you mean "absent"?`},
		{word: "runtimedefault", want: `; did you mean "RuntimeDefault"?`},
		{word: "presents", want: `; did you mean "present"?`},
		{word: "completely"},
		{},
	} {
		if got := document.Suggest(tt.word, words); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.word, got, tt.want)
		}
	}
}

func Example() {
	var findings document.Findings
	n := document.ParseYAML("policy", "policy.yaml", []byte("absent: Deny\npresnet: Keep\n"), &findings)
	words := &document.Type{Kind: document.String, Words: []string{"Deny", "Keep"}}
	answers := &document.Type{Kind: document.Mapping, Keys: []document.Key{
		{Name: "absent", Doc: "What happens to a container without a filter.", Type: words},
		{Name: "present", Doc: "What happens to a container with a filter.", Type: words},
	}}
	n.Fields(answers, map[string]func(document.Node){
		"absent":  func(v document.Node) { fmt.Println(v.Path(), v.Word()) },
		"present": func(v document.Node) { fmt.Println(v.Path(), v.Word()) },
	})
	fmt.Println(findings.Err())
	// Output:
	// absent Deny
	// policy "policy.yaml":2:1: unknown key "presnet"; did you mean "present"?
}
