package policy_test

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
)

// readNothing is for policies that name no file.
func readNothing(file string) (string, []byte, error) {
	return file, nil, errors.New("no such file or directory")
}

func parse(t *testing.T, text string) *policy.Policy {
	t.Helper()
	p, findings := policy.Parse("p.yaml", []byte(text), readNothing)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	return p
}

// The embedded default needs no parsing, and is what parsing it gives.
func TestBuiltin(t *testing.T) {
	p := parse(t, policy.Builtin)
	p.Path = policy.BuiltinPath
	if _, err := os.Stat(policy.DefaultPath); os.IsNotExist(err) {
		if loaded, findings := policy.Load(policy.DefaultPath); len(findings) > 0 || !reflect.DeepEqual(loaded, p) {
			t.Errorf("loaded %+v (%v)\nparsed %+v", loaded, findings, p)
		}
	}
	want := policy.Answers{Absent: policy.RuntimeDefault, Present: policy.Keep, Floor: policy.None, Mode: policy.Enforce}
	if p.Answers != want || len(p.Rules) != 0 || p.RestoreAllowed || p.Architectures != "auto" {
		t.Errorf("got %+v", p)
	}
}

func TestParseFindings(t *testing.T) {
	const inline = "profiles:\n  none: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [keyctl], action: SCMP_ACT_ERRNO}]}}\n"
	rule := func(text string) string { return "version: 1\nrules:\n- name: r\n  " + text + "\n" }
	for _, tt := range []struct {
		name, text string
		want       []string // without the file's name
	}{
		{"empty", "", []string{` the file is empty; remove it for the built-in default, or write at least "version: 1"`}},
		{"no version", "absent: Deny", []string{`1:1: version is missing; write "version: 1"`}},
		{"version 2", "version: 2", []string{`1:10: version: version 2 is unknown; this Batten reads version 1`}},
		{"version as a string", `version: "1"`, []string{`1:10: version: is a string, want a whole number`, `1:10: version: version 0 is unknown; this Batten reads version 1`}},
		{"unknown key", "version: 1\nabsnet: Deny", []string{`2:1: unknown key "absnet"; did you mean "absent"?`}},
		{"unknown floor", "version: 1\nfloor: strct\n" + strings.ReplaceAll(inline, "none", "strict"), []string{
			`2:8: floor: unknown profile "strct", want None, RuntimeDefault or the name of a profile; did you mean "strict"?`,
			`4:3: warning: profiles: profile "strict" is never used`,
		}},
		{"a floor that is no profile", "version: 1\nfloor: Unconfined", []string{`2:8: floor: unknown word "Unconfined", want None, RuntimeDefault or the name of a profile`}},
		{"a rule's floor", rule("match: {}\n  floor: Keep"), []string{`5:10: rules[0].floor: unknown word "Keep", want None, RuntimeDefault or the name of a profile`}},
		{"a floor is a use", "version: 1\nfloor: strict\n" + strings.ReplaceAll(inline, "none", "strict"), nil},
		{"loosens the floor by annotations", "version: 1\nfloor: RuntimeDefault\nrules:\n- name: r\n  match: {annotations: {a: [b]}}\n  floor: None\n", []string{
			`5:10: warning: rules[0].match: loosens by annotations, which are the pod author's word: whoever may create a pod may set them`,
		}},
		{"duplicate key", "version: 1\nabsent: Deny\nabsent: Unconfined", []string{`3:1: key "absent" occurs twice, first in line 2; remove one`}},
		{"unknown profile", "version: 1\nabsent: strct\n" + strings.ReplaceAll(inline, "none", "strict"), []string{
			`2:9: absent: unknown profile "strct", want RuntimeDefault, Unconfined, Deny or the name of a profile; did you mean "strict"?`,
			`4:3: warning: profiles: profile "strict" is never used`,
		}},
		{"unknown word", "version: 1\npresent: Kep", []string{`2:10: present: unknown word "Kep", want Keep, RuntimeDefault, Deny or the name of a profile; did you mean "Keep"?`}},
		{"a word of the other question", "version: 1\npresent: Unconfined", []string{`2:10: present: unknown word "Unconfined", want Keep, RuntimeDefault, Deny or the name of a profile`}},
		{"builtin as a profile", "version: 1\nabsent: builtin", []string{`2:9: absent: unknown profile "builtin", want RuntimeDefault, Unconfined, Deny or the name of a profile`}},
		{"bad profile name", "version: 1\nabsent: None\nprofiles:\n  None: {inline: {defaultAction: SCMP_ACT_LOG}}\n", []string{
			`4:3: profiles: "None" cannot be a profile's name; use lower-case letters, digits and -, and not "builtin"`,
			`2:9: absent: unknown word "None", want RuntimeDefault, Unconfined, Deny or the name of a profile`,
		}},
		{"missing profile file", "version: 1\nabsent: a\nprofiles: {a: {file: a.json}}", []string{`3:22: profiles.a.file: no such file or directory`}},
		{"file and inline", "version: 1\nabsent: a\nprofiles: {a: {file: a.json, inline: {}}}", []string{`3:15: profiles.a: wants either file or inline`}},
		{"a profile that filters nothing", "version: 1\nabsent: a\nprofiles: {a: {inline: {defaultAction: SCMP_ACT_ALLOW}}}", []string{`3:15: profiles.a: profile "a" filters nothing: it allows by default and has no rules; write Unconfined where you mean that`}},
		{"a profile with faults of its own", "version: 1\nabsent: a\nprofiles: {a: {inline: {defaultAction: ALLOW}}}", []string{
			`3:40: profiles.a.inline.defaultAction: unknown value "ALLOW", want SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP, SCMP_ACT_ERRNO, SCMP_ACT_TRACE, SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_NOTIFY`,
		}},
		{"unused profile", "version: 1\n" + inline, []string{`3:3: warning: profiles: profile "none" is never used`}},
		{"profiles as a list", "version: 1\nprofiles: []", []string{`2:11: profiles: is a list, want a mapping`}},
		{"bad mode", "version: 1\nmode: audit", []string{`2:7: mode: unknown value "audit", want Enforce, Audit; did you mean "Audit"?`}},
		{"bad architectures", "version: 1\narchitectures: all", []string{`2:16: architectures: unknown value "all", want auto, native, as-written`}},
		{"bad restore", "version: 1\nrestore: allow", []string{`2:10: restore: unknown value "allow", want Deny, Allow; did you mean "Allow"?`}},
		{"relative log", "version: 1\nlog: batten.jsonl", []string{`2:6: log: "batten.jsonl" is not an absolute path`}},
		{"rule without a name", "version: 1\nrules: [{match: {}}]", []string{`2:9: rules[0]: has no name; records and errors call a rule by its name`}},
		{"rule without match", rule("absent: Deny"), []string{`3:3: rules[0]: has no match; write "match: {}" for a rule that is for every container`}},
		{"duplicate rule names", "version: 1\nrules:\n- {name: a, match: {kind: [Sandbox]}}\n- {name: a, match: {kind: [Container]}}", []string{`4:3: rules[1]: a second rule named "a"; the first is rules[0]`}},
		{"unknown match field", rule("match: {namespace: [a]}"), []string{`4:11: rules[0].match: unknown key "namespace"`}},
		{"unknown pod field", rule("match: {pod: {nmae: [a]}}"), []string{`4:17: rules[0].match.pod: unknown key "nmae"; did you mean "name"?`}},
		{"a match that is no list", rule("match: {pod: {name: a}}"), []string{`4:23: rules[0].match.pod.name: is a string, want a list`}},
		{"an empty list", rule("match: {image: []}"), []string{`4:18: rules[0].match.image: is an empty list, which matches nothing; leave the field out to match anything`}},
		{"a bad glob", rule(`match: {image: ["[a"]}`), []string{`4:19: rules[0].match.image[0]: "[a" is not a glob: syntax error in pattern`}},
		{"bad kind", rule("match: {kind: [Pod]}"), []string{`4:18: rules[0].match.kind[0]: unknown value "Pod", want Sandbox, Container`}},
		{"bad capability", rule("match: {capabilities: [SYS_ADMIN]}"), []string{`4:26: rules[0].match.capabilities[0]: unknown capability "SYS_ADMIN"`}},
		{"CRI's annotation", rule("match: {annotations: {io.kubernetes.cri.sandbox-name: [a]}}"), []string{`4:25: rules[0].match.annotations: "io.kubernetes.cri.sandbox-name" is CRI's own; match pod, container, image or kind, which count only where CRI wrote them`}},
		{"loosens by annotation", rule("match: {annotations: {example.com/debug: [\"yes\"]}}\n  absent: Unconfined"), []string{`4:10: warning: rules[0].match: loosens by annotations, which are the pod author's word: whoever may create a pod may set them`}},
		{"tightens by annotation", rule("match: {annotations: {example.com/debug: [\"yes\"]}}\n  absent: Deny"), nil},
		{"tightens what is present by annotation", rule("match: {annotations: {example.com/debug: [\"yes\"]}}\n  present: Deny"), nil},
		{"loosens what is present by annotation", rule("match: {annotations: {example.com/debug: [\"yes\"]}}\n  present: RuntimeDefault"), []string{`4:10: warning: rules[0].match: loosens by annotations, which are the pod author's word: whoever may create a pod may set them`}},
		{"only audits by annotation", rule("match: {annotations: {example.com/debug: [\"yes\"]}}\n  mode: Audit"), []string{`4:10: warning: rules[0].match: loosens by annotations, which are the pod author's word: whoever may create a pod may set them`}},
		{"audits by annotation where all does", "mode: Audit\n" + rule("match: {annotations: {example.com/debug: [\"yes\"]}}\n  mode: Audit"), nil},
		{"unreachable", "version: 1\nrules:\n- {name: all, match: {pod: {namespace: [\"tenant-*\"]}}}\n- {name: one, match: {pod: {namespace: [tenant-a], name: [x]}}, absent: Deny}", []string{`4:3: warning: rules[1]: is never reached: rule "all" before it matches all that it matches`}},
		{"reachable", "version: 1\nrules:\n- {name: one, match: {pod: {namespace: [tenant-a], name: [x]}}, absent: Deny}\n- {name: all, match: {pod: {namespace: [\"tenant-*\"]}}}", nil},
		{"all at once", "version: 3\nabsnt: Deny\nmode: Off\nrules: [{}]", []string{
			`2:1: unknown key "absnt"; did you mean "absent"?`,
			`3:7: mode: unknown value "Off", want Enforce, Audit`,
			`1:10: version: version 3 is unknown; this Batten reads version 1`,
			`4:9: rules[0]: has no name; records and errors call a rule by its name`,
			`4:9: rules[0]: has no match; write "match: {}" for a rule that is for every container`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, findings := policy.Parse("p.yaml", []byte(tt.text), readNothing)
			var got []string
			for _, f := range findings {
				got = append(got, strings.TrimPrefix(f.String(), `policy "p.yaml":`))
			}
			if strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if (p == nil) != (findings.Err() != nil) {
				t.Errorf("policy %v beside error %v", p, findings.Err())
			}
		})
	}
}

func TestRestore(t *testing.T) {
	for word, want := range map[string]bool{"Allow": true, "Deny": false} {
		if p := parse(t, "version: 1\nrestore: "+word); p.RestoreAllowed != want {
			t.Errorf("restore: %s: allowed %v", word, p.RestoreAllowed)
		}
	}
}

// A profile's name is a label of DNS.
func TestProfileNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"a": true, "z": true, "0": true, "9": true, "a-z": true, "a--0": true, strings.Repeat("a", 63): true,
		strings.Repeat("a", 64): false, "-a": false, "a-": false, "A": false, "a.b": false, "a_b": false, "a{": false, "a`": false, "a:b": false, "a/b": false, "builtin": false,
	} {
		_, findings := policy.Parse("p.yaml", fmt.Appendf(nil, "version: 1\nprofiles: {%q: {inline: {defaultAction: SCMP_ACT_LOG}}}\n", name), readNothing)
		if got := findings.Err() == nil; got != ok {
			t.Errorf("%q: %v", name, findings)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		policy.Builtin, "", "version: 1\nmode: Audit\n",
		"version: 1\nabsent: a\nprofiles: {a: {inline: {defaultAction: SCMP_ACT_LOG}}}\nrules:\n- {name: r, match: {pod: {namespace: ['x*']}, kind: [Sandbox], capabilities: [CAP_BPF], annotations: {k: ['?']}}, present: Deny}\n",
		"a: &x [*x]\n<<: *x\n", "? {a: b}\n: c\n", "version: !!int 0x1\n", "\xff\xfe", "- - - -", "version: 1 # \u2028\n",
	} {
		f.Add([]byte(seed))
	}
	read := func(file string) (string, []byte, error) {
		return file, []byte(`{"defaultAction": "SCMP_ACT_LOG"}`), nil
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, findings := policy.Parse("p.yaml", data, read)
		if (p == nil) != (findings.Err() != nil) {
			t.Fatalf("policy %v beside error %v", p, findings.Err())
		}
		if p == nil {
			return
		}
		// Whatever was accepted decides, and by words that mean something.
		for _, filtered := range []bool{false, true} {
			d := p.Decide(policy.Request{ContainerdNamespace: "k8s.io", Filtered: filtered})
			if d.Word == "" || d.Mode == "" {
				t.Fatalf("decision %+v", d)
			}
			if d.Verdict == policy.Replace {
				if _, _, err := p.Seccomp(d, nil, policy.Machine{}); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
