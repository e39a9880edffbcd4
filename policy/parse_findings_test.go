package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
)

const noKeyctl = "profiles:\n  none: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [keyctl], action: SCMP_ACT_ERRNO}]}}\n"

func withRule(text string) string { return "version: 1\nrules:\n- name: r\n  " + text + "\n" }

// parseFinding is a policy and what is found in it.
type parseFinding struct {
	name, text string
	want       []string // without the file's name
}

// topFindings are of keys at the top and of profiles.
var topFindings = []parseFinding{
	{
		name: "empty",
		want: []string{` the file is empty, or has only comments; remove it, or write at least "version: 1"`},
	},
	{
		name: "no version", text: "absent: Deny",
		want: []string{`1:1: version is missing; write "version: 1"`},
	},
	{
		name: "version 2", text: "version: 2",
		want: []string{`1:10: version: version 2 is unknown; this Batten reads version 1`},
	},
	{
		name: "version as a string", text: `version: "1"`,
		want: []string{`1:10: version: is a string, want a whole number`, `1:10: version: version 0 is unknown; this Batten reads version 1`},
	},
	{
		name: "unknown key", text: "version: 1\nabsnet: Deny",
		want: []string{`2:1: unknown key "absnet"; did you mean "absent"?`},
	},
	{name: "unknown floor", text: "version: 1\nfloor: strct\n" + strings.ReplaceAll(noKeyctl, "none", "strict"), want: []string{
		`2:8: floor: unknown profile "strct", want None, RuntimeDefault or the name of a profile; did you mean "strict"?`,
		`4:3: warning: profiles: profile "strict" is never used`,
	}},
	{
		name: "a floor that is no profile", text: "version: 1\nfloor: Unconfined",
		want: []string{`2:8: floor: unknown word "Unconfined", want None, RuntimeDefault or the name of a profile`},
	},
	{
		name: "a rule's floor", text: withRule("match: {}\n  floor: Keep"),
		want: []string{`5:10: rules[0].floor: unknown word "Keep", want None, RuntimeDefault or the name of a profile`},
	},
	{
		name: "a floor is a use",
		text: "version: 1\nfloor: strict\n" + strings.ReplaceAll(noKeyctl, "none", "strict"),
	},
	{name: "loosens the floor by annotations", text: "version: 1\nfloor: RuntimeDefault\nrules:\n- name: r\n  match: {annotations: {a: [b]}}\n  floor: None\n", want: []string{
		`5:10: warning: rules[0].match: loosens by annotations, which are the pod author's word: whoever may create a pod may set them`,
	}},
	{
		name: "duplicate key", text: "version: 1\nabsent: Deny\nabsent: Unconfined",
		want: []string{`3:1: key "absent" occurs twice, first in line 2; remove one`},
	},
	{name: "unknown profile", text: "version: 1\nabsent: strct\n" + strings.ReplaceAll(noKeyctl, "none", "strict"), want: []string{
		`2:9: absent: unknown profile "strct", want RuntimeDefault, Unconfined, Deny or the name of a profile; did you mean "strict"?`,
		`4:3: warning: profiles: profile "strict" is never used`,
	}},
	{
		name: "unknown word", text: "version: 1\npresent: Kep",
		want: []string{`2:10: present: unknown word "Kep", want Keep, RuntimeDefault, Deny or the name of a profile; did you mean "Keep"?`},
	},
	{
		name: "a word of the other question", text: "version: 1\npresent: Unconfined",
		want: []string{`2:10: present: unknown word "Unconfined", want Keep, RuntimeDefault, Deny or the name of a profile`},
	},
	{
		name: "builtin as a profile", text: "version: 1\nabsent: builtin",
		want: []string{`2:9: absent: unknown profile "builtin", want RuntimeDefault, Unconfined, Deny or the name of a profile`},
	},
	{name: "bad profile name", text: "version: 1\nabsent: None\nprofiles:\n  None: {inline: {defaultAction: SCMP_ACT_LOG}}\n", want: []string{
		`4:3: profiles: "None" cannot be a profile's name; use lower-case letters, digits and -, and not "builtin"`,
		`2:9: absent: unknown word "None", want RuntimeDefault, Unconfined, Deny or the name of a profile`,
	}},
	{
		name: "missing profile file",
		text: "version: 1\nabsent: a\nprofiles: {a: {file: a.json}}",
		want: []string{`3:22: profiles.a.file: no such file or directory`},
	},
	{
		name: "file and inline",
		text: "version: 1\nabsent: a\nprofiles: {a: {file: a.json, inline: {}}}",
		want: []string{`3:15: profiles.a: wants one of file, inline and from`},
	},
	{
		name: "a profile that filters nothing",
		text: "version: 1\nabsent: a\nprofiles: {a: {inline: {defaultAction: SCMP_ACT_ALLOW}}}",
		want: []string{`3:15: profiles.a: profile "a" filters nothing: it allows by default and has no rules; write Unconfined where you mean that`},
	},
	{name: "a profile with faults of its own", text: "version: 1\nabsent: a\nprofiles: {a: {inline: {defaultAction: ALLOW}}}", want: []string{
		`3:40: profiles.a.inline.defaultAction: unknown value "ALLOW", want SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_TRAP, SCMP_ACT_ERRNO, SCMP_ACT_TRACE, SCMP_ACT_ALLOW, SCMP_ACT_LOG, SCMP_ACT_NOTIFY; did you mean "SCMP_ACT_ALLOW"?`,
	}},
	{
		name: "unused profile", text: "version: 1\n" + noKeyctl,
		want: []string{`3:3: warning: profiles: profile "none" is never used`},
	},
	{
		name: "profiles as a list", text: "version: 1\nprofiles: []",
		want: []string{`2:11: profiles: is a list, want a mapping`},
	},
	{
		name: "bad mode", text: "version: 1\nmode: audit",
		want: []string{`2:7: mode: unknown value "audit", want Enforce, Audit; did you mean "Audit"?`},
	},
	{
		name: "bad architectures", text: "version: 1\narchitectures: all",
		want: []string{`2:16: architectures: unknown value "all", want auto, native, as-written`},
	},
	{
		name: "bad restore", text: "version: 1\nrestore: allow",
		want: []string{`2:10: restore: unknown value "allow", want Deny, Allow; did you mean "Allow"?`},
	},
	{
		name: "relative log", text: "version: 1\nlog: batten.jsonl",
		want: []string{`2:6: log: "batten.jsonl" is not an absolute path`},
	},
}

func TestParseFindings(t *testing.T) {
	for _, tt := range slices.Concat(topFindings, ruleFindings) {
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
