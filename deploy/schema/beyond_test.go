package schema

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/deploy/schema/schematest"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// beyond are the problems that the parser finds and a schema cannot express, by what
// their messages contain.
var beyond = []struct{ message, reason string }{
	{message: "unknown profile", reason: "which profiles there are is said elsewhere in the file"},
	{message: "a second rule named", reason: "no keyword compares the names of two rules"},
	{message: "no system call is known as", reason: "there are too many calls to list, and new ones come"},
	{message: "is no word for argument", reason: "it depends on the names and the index together"},
	{message: "is made from itself", reason: "it depends on all profiles together"},
	{message: "is made from more than", reason: "it depends on all profiles together"},
	{message: "the kernel reads", reason: "it depends on the names and all conditions together"},
	{message: "of its width", reason: "no keyword compares a value with the width beside it"},
	{message: "wants bits outside its mask", reason: "no keyword compares two values"},
	{message: "counts for SCMP_CMP_MASKED_EQ alone", reason: "it depends on the operator beside it"},
	{message: "stand for more than", reason: "it depends on all conditions together"},
	{message: "file does not exist", reason: "files are outside the document"},
	{message: "filters nothing", reason: "it depends on the actions of all rules together"},
	{message: "cannot start a container", reason: "it depends on all rules together"},
	{message: "is not a glob", reason: "the grammar of path.Match is no regular expression"},
	{message: "is not how the path is compared", reason: "path.Clean is no regular expression"},
	{
		message: "has a / between [ and ]",
		reason:  "the grammar of path.Match is no regular expression",
	},
	{message: "stands beside archMap", reason: "an empty archMap may stand there"},
	{message: "but errnoRet says", reason: "no keyword compares an errno's name with a number"},
	{
		message: "a rule has SCMP_ACT_NOTIFY but",
		reason:  "it depends on the actions of all rules together",
	},
	{
		message: "SCMP_ACT_NOTIFY on write",
		reason:  "it depends on the names and the action together",
	},
	{message: "defaultAction is SCMP_ACT_NOTIFY", reason: "it is one of the words of an action"},
	{message: "names together, more than", reason: "the sizes of rules are counted together"},
}

// verdict is what the parser says of a document.
type verdict int

const (
	accepts verdict = iota
	refusesShape
	refusesBeyond // only for reasons that a schema cannot express
)

func judge(findings document.Findings) verdict {
	out := accepts
	for _, f := range findings {
		switch {
		case f.Warning:
		case inexpressible(f.Message):
			out = max(out, refusesBeyond)
		default:
			return refusesShape
		}
	}
	return out
}

func inexpressible(message string) bool {
	for _, b := range beyond {
		if strings.Contains(message, b.message) {
			return true
		}
	}
	return false
}

// agree reports where the schema says something else than the parser. A text that no
// reader of YAML reads, such as one with a key twice, counts as refused by both.
func agree(t *testing.T, name string, s *jsonschema.Schema, text []byte, findings document.Findings) {
	t.Helper()
	got := schematest.Validate(s, text)
	switch said := judge(findings); {
	case said == accepts && got != nil:
		t.Errorf("%s: the parser accepts it, the schema does not: %v\n%s", name, got, text)
	case said == refusesShape && got == nil:
		t.Errorf("%s: the schema accepts what the parser refuses: %v\n%s", name, findings.Err(), text)
	}
}

// Each reason in the list is needed: there is a policy that the parser refuses for it
// and the schema accepts.
func TestBeyond(t *testing.T) {
	s := compile(t, "policy")
	rule := func(fields string) string { return "version: 1\nrules: [{name: r, " + fields + "}]\n" }
	inline := func(text string) string {
		return "version: 1\nabsent: p\nprofiles: {p: {inline: " + text + "}}\n"
	}
	for message, text := range map[string]string{
		"unknown profile":                  "version: 1\nabsent: other\n",
		"a second rule named":              "version: 1\nrules: [{name: r, match: {}}, {name: r, match: {}}]\n",
		"file does not exist":              "version: 1\nabsent: p\nprofiles: {p: {file: p.json}}\n",
		"filters nothing":                  inline("{defaultAction: SCMP_ACT_ALLOW}"),
		"cannot start a container":         inline("{defaultAction: SCMP_ACT_ERRNO}"),
		"is not a glob":                    rule(`match: {image: ["["]}`),
		"is not how the path is compared":  rule("match: {mounts: [/a/]}"),
		"has a / between [ and ]":          rule("match: {mounts: ['/a[/]']}"),
		"stands beside archMap":            inline("{defaultAction: SCMP_ACT_LOG, architectures: [SCMP_ARCH_X86], archMap: [{architecture: SCMP_ARCH_X86}]}"),
		"but errnoRet says":                inline("{defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [bpf], action: SCMP_ACT_ERRNO, errnoRet: 2, errno: EPERM}]}"),
		"a rule has SCMP_ACT_NOTIFY but":   inline("{defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [bpf], action: SCMP_ACT_NOTIFY}]}"),
		"SCMP_ACT_NOTIFY on write":         inline("{defaultAction: SCMP_ACT_ALLOW, listenerPath: /s, syscalls: [{names: [write], action: SCMP_ACT_NOTIFY}]}"),
		"defaultAction is SCMP_ACT_NOTIFY": inline("{defaultAction: SCMP_ACT_NOTIFY, listenerPath: /s}"),
		"names together, more than":        inline("{defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [" + strings.Repeat("bpf,", 9000) + "], action: SCMP_ACT_ERRNO}]}"),
	} {
		t.Run(message, func(t *testing.T) {
			findings := parse(text)
			err := findings.Err()
			if err == nil || !strings.Contains(err.Error(), message) || judge(findings) != refusesBeyond {
				t.Errorf("got %v, want only %q", err, message)
			}
			if err := schematest.Validate(s, []byte(text)); err != nil {
				t.Errorf("the schema refuses it, so it belongs in no list: %v", err)
			}
		})
	}
}
