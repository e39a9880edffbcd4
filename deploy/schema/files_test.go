package schema

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/lint"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/invopop/jsonschema"
)

var update = flag.Bool("update", false, "write the schemas")

// Each file is what the parser and the types say today.
func TestFiles(t *testing.T) {
	generated := map[string]*jsonschema.Schema{
		"policy":    policySchema(),
		"drop-in":   dropInSchema(),
		"profile":   titled(render(profile.Type), "Seccomp profile", "A profile that Batten reads: linux.seccomp of the runtime-spec, and what Docker and containers/common add."),
		"record":    titled(written(t, &record.Record{}), "Batten record", "What Batten decided for one container: one file below /run/batten for as long as the container exists."),
		"recording": titled(written(t, &recording.Recording{}), "Batten recording", "Which system calls containers made: what batten record writes. docs/reference/recording.md describes it."),
		"log":       titled(either(written(t, &record.Record{}), written(t, &denials.Line{})), "Batten log line", "One line of the file that the policy names as log: what Batten decided for one container, or a call that was denied, or in an audit would be."),
		"lint":      titled(written(t, &lint.Answer{}), "Answer of batten lint", "What batten lint --json prints."),
	}
	if len(generated) != len(Names) {
		t.Errorf("%d schemas are generated, want %q", len(generated), Names)
	}
	for _, name := range Names {
		want := encode(t, generated[name])
		if *update {
			if err := os.WriteFile(name+".json", want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(name + ".json")
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s.json is not what is generated (%v); run go test ./deploy/schema -update", name, err)
		}
	}
}

func policySchema() *jsonschema.Schema {
	s := titled(render(policy.Type), "Batten policy", "The node's seccomp policy, /etc/batten/policy.yaml. docs/reference/policy.md describes it.")
	s.Definitions = jsonschema.Definitions{"profile": render(profile.Type)}
	return s
}

func dropInSchema() *jsonschema.Schema {
	s := titled(render(policy.DropInType), "Batten drop-in", "Mandatory floors for every policy of the node, /etc/batten/policy.d/*.yaml. docs/reference/policy.md describes it.")
	s.Definitions = jsonschema.Definitions{"profile": render(profile.Type)}
	return s
}

func titled(s *jsonschema.Schema, title, description string) *jsonschema.Schema {
	s.Version, s.Title, s.Description = jsonschema.Version, title, description
	return s
}

// allWords are the words of the types that a record holds.
var allWords = map[reflect.Type][]any{
	reflect.TypeFor[policy.Mode]():     {policy.Enforce, policy.Audit},
	reflect.TypeFor[policy.Verdict]():  {policy.Leave, policy.Tighten, policy.Replace, policy.Refuse},
	reflect.TypeFor[record.State]():    {record.Pending, record.NotRequired, record.Filtered, record.Ended, record.Failed},
	reflect.TypeFor[record.Compared](): {record.AsStrict, record.Looser, record.NotCompared},
}

// written returns the schema of what Batten writes, with the comments of its fields.
func written(t *testing.T, what any) *jsonschema.Schema {
	r := jsonschema.Reflector{Anonymous: true, ExpandedStruct: true, Mapper: func(typ reflect.Type) *jsonschema.Schema {
		if words := allWords[typ]; words != nil {
			return &jsonschema.Schema{Type: "string", Enum: words}
		}
		return nil
	}}
	for _, dir := range []string{"internal/record", "internal/lint", "internal/denials", "internal/recording", "policy"} {
		if err := r.AddGoComments("github.com/batten-runtime/batten/deploy/schema", "../../"+dir); err != nil {
			t.Fatal(err)
		}
	}
	for of, comment := range r.CommentMap {
		r.CommentMap[of] = strings.ReplaceAll(comment, "\n", " ")
	}
	return r.Reflect(what)
}

// either returns the schema of what has one of two schemas.
func either(a, b *jsonschema.Schema) *jsonschema.Schema {
	out := &jsonschema.Schema{Definitions: jsonschema.Definitions{}, AnyOf: []*jsonschema.Schema{a, b}}
	for _, s := range out.AnyOf {
		maps.Copy(out.Definitions, s.Definitions)
		s.Version, s.Definitions = "", nil
	}
	return out
}

func encode(t *testing.T, s *jsonschema.Schema) []byte {
	t.Helper()
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Each key has a sentence that says what it means.
func TestDescriptions(t *testing.T) {
	keys := 0
	var walk func(of *document.Type, path string)
	walk = func(of *document.Type, path string) {
		if of == nil {
			return
		}
		walk(of.Items, path+"[]")
		for _, k := range of.Keys {
			keys++
			if k.Refused == "" && !strings.HasSuffix(k.Doc, ".") {
				t.Errorf("%s.%s is described by %q, want a sentence", path, k.Name, k.Doc)
			}
			walk(k.Type, path+"."+k.Name)
		}
	}
	walk(policy.Type, "")
	if keys < 60 {
		t.Errorf("only %d keys found", keys)
	}
}
