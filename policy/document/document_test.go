package document_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/document"
)

// read is a document of one list of numbers and one word.
func read(n document.Node) (numbers []uint64, word string) {
	n.Fields(map[string]func(document.Node){
		"numbers": func(v document.Node) {
			for _, item := range v.Items() {
				numbers = append(numbers, item.Uint(8))
			}
		},
		"word": func(v document.Node) { word = v.OneOf("alpha", "beta") },
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
		{"empty", "", `test "f": the file is empty; remove it for the built-in default, or write at least "version: 1"`},
		{"only a comment", "# nothing\n", `test "f": the file is empty; remove it for the built-in default, or write at least "version: 1"`},
		{"syntax", "a: b\n  c: d\n", `test "f":2:1: not valid YAML: mapping values are not allowed in this context`},
		{"tab", "a:\n\tb: c\n", `test "f":2:1: not valid YAML: found character that cannot start any token`},
		{"two documents", "word: alpha\n---\nword: beta\n", `test "f":2:1: a second document begins here; write one document a file`},
		{"a NUL", "word: \"alpha\\0x\"\n", "test \"f\":1:7: word: holds a NUL, where a runtime written in C ends it; remove it\ntest \"f\":1:7: word: unknown value \"alpha\\x00x\", want alpha, beta; did you mean \"alpha\"?"},
		{"an alias", "numbers: &x [1]\nword: *x\n", `test "f":2:7: word: is an alias, want a string`},
		{"a merge", "<<: {word: alpha}\n", `test "f":1:1: a key is of type !!merge, want a string`},
		{"a scalar", "word", `test "f":1:1: is a string, want a mapping`},
		{"a number as key", "1: x\n", `test "f":1:1: a key is a number, want a string`},
		{"empty word", `word: ""`, `test "f":1:7: word: is empty`},
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
		{"deep", strings.Repeat("[", 200) + strings.Repeat("]", 200), `test "f":1:102: nested more than 100 deep`},
		{"two values", "{} {}", `test "f":1:4: not valid JSON: invalid character '{' after top-level value`},
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
		{"absnet", `; did you mean "absent"?`},
		{"runtimedefault", `; did you mean "RuntimeDefault"?`},
		{"presents", `; did you mean "present"?`},
		{"completely", ""},
		{"", ""},
	} {
		if got := document.Suggest(tt.word, words); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.word, got, tt.want)
		}
	}
}

func Example() {
	var findings document.Findings
	n := document.ParseYAML("policy", "policy.yaml", []byte("absent: Deny\npresnet: Keep\n"), &findings)
	n.Fields(map[string]func(document.Node){
		"absent":  func(v document.Node) { fmt.Println(v.Path(), v.String()) },
		"present": func(v document.Node) { fmt.Println(v.Path(), v.String()) },
	})
	fmt.Println(findings.Err())
	// Output:
	// absent Deny
	// policy "policy.yaml":2:1: unknown key "presnet"; did you mean "present"?
}
