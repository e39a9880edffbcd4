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
	want := policy.Answers{Absent: policy.RuntimeDefault, Present: policy.Keep, Floor: policy.None, Hooks: policy.Keep, Mode: policy.Enforce}
	if p.Answers != want || len(p.Rules) != 0 || p.RestoreAllowed || p.Architectures != "auto" {
		t.Errorf("got %+v", p)
	}
}

const noKeyctl = "profiles:\n  none: {inline: {defaultAction: SCMP_ACT_ALLOW, syscalls: [{names: [keyctl], action: SCMP_ACT_ERRNO}]}}\n"

func withRule(text string) string { return "version: 1\nrules:\n- name: r\n  " + text + "\n" }

// parseFindings are policies and what is found in them.
var parseFindings = []struct {
	name, text string
	want       []string // without the file's name
}{
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
	{
		name: "rule without a name", text: "version: 1\nrules: [{match: {}}]",
		want: []string{`2:9: rules[0]: has no name; records and errors call a rule by its name`},
	},
	{
		name: "rule without match", text: withRule("absent: Deny"),
		want: []string{`3:3: rules[0]: has no match; write "match: {}" for a rule that is for every container`},
	},
	{
		name: "duplicate rule names",
		text: "version: 1\nrules:\n- {name: a, match: {kind: [Sandbox]}}\n- {name: a, match: {kind: [Container]}}",
		want: []string{`4:3: rules[1]: a second rule named "a"; the first is rules[0]`},
	},
	{
		name: "unknown match field", text: withRule("match: {namespace: [a]}"),
		want: []string{`4:22: rules[0].match.namespace: write pod: {namespace: [...]} for the namespace of a pod, and namespaces: [...] for what the container shares with the node`},
	},
	{name: "mounts", text: withRule("match: {mounts: [/etc/batten, \"/run/*/x.sock\"]}")},
	{
		name: "mounts that are no list", text: withRule("match: {mounts: /etc}"),
		want: []string{`4:19: rules[0].match.mounts: is a string, want a list`},
	},
	{
		name: "no mounts", text: withRule("match: {mounts: []}"),
		want: []string{`4:19: rules[0].match.mounts: is an empty list, which matches nothing; leave the field out to match anything`},
	},
	{
		name: "a relative mount", text: withRule("match: {mounts: [etc/batten]}"),
		want: []string{`4:20: rules[0].match.mounts[0]: "etc/batten" is not an absolute path of the node`},
	},
	{
		name: "a mount with a / at its end", text: withRule("match: {mounts: [/etc/batten/]}"),
		want: []string{`4:20: rules[0].match.mounts[0]: "/etc/batten/" is not how the path is compared; write "/etc/batten"`},
	},
	{
		name: "a mount by a class with a /", text: withRule("match: {mounts: [\"/etc/[a/b]\"]}"),
		want: []string{`4:20: rules[0].match.mounts[0]: "/etc/[a/b]" has a / between [ and ], which matches no path`},
	},
	{
		name: "unknown namespaces", text: withRule("match: {namespaces: [pid]}"),
		want: []string{`4:24: rules[0].match.namespaces[0]: unknown value "pid", want host-ipc, host-mount, host-network, host-pid, host-user, host-uts; did you mean "host-pid"?`},
	},
	{
		name: "unknown hooks", text: "version: 1\nhooks: Refuse",
		want: []string{`2:8: hooks: unknown value "Refuse", want Keep, Record, Deny`},
	},
	{
		name: "unknown hooks of a rule", text: withRule("match: {}\n  hooks: None"),
		want: []string{`5:10: rules[0].hooks: unknown value "None", want Keep, Record, Deny`},
	},
	{
		name: "loosens hooks by annotation",
		text: "hooks: Deny\n" + withRule("match: {annotations: {example.com/debug: [\"yes\"]}}\n  hooks: Record"),
		want: []string{`5:10: warning: rules[0].match: loosens by annotations, which are the pod author's word: whoever may create a pod may set them`},
	},
	{
		name: "tightens hooks by annotation",
		text: withRule("match: {annotations: {example.com/debug: [\"yes\"]}}\n  hooks: Deny"),
	},
	{
		name: "unreachable by mounts",
		text: "version: 1\nrules:\n- {name: all, match: {mounts: [/etc/*]}}\n- {name: one, match: {mounts: [/etc/batten], namespaces: [host-pid]}, absent: Deny}",
		want: []string{`4:3: warning: rules[1]: is never reached: rule "all" before it matches all that it matches`},
	},
	{
		name: "reachable: above is not all that is below",
		text: "version: 1\nrules:\n- {name: above, match: {mounts: [/etc]}}\n- {name: below, match: {mounts: [/etc/batten]}, absent: Deny}",
	},
	{
		name: "unreachable by namespaces",
		text: "version: 1\nrules:\n- {name: all, match: {namespaces: [host-pid, host-ipc]}}\n- {name: one, match: {namespaces: [host-ipc]}, absent: Deny}",
		want: []string{`4:3: warning: rules[1]: is never reached: rule "all" before it matches all that it matches`},
	},
	{
		name: "reachable by namespaces",
		text: "version: 1\nrules:\n- {name: one, match: {namespaces: [host-pid]}}\n- {name: two, match: {namespaces: [host-pid, host-ipc]}, absent: Deny}",
	},
	{
		name: "unknown pod field", text: withRule("match: {pod: {nmae: [a]}}"),
		want: []string{`4:17: rules[0].match.pod: unknown key "nmae"; did you mean "name"?`},
	},
	{
		name: "a match that is no list", text: withRule("match: {pod: {name: a}}"),
		want: []string{`4:23: rules[0].match.pod.name: is a string, want a list`},
	},
	{
		name: "an empty list", text: withRule("match: {image: []}"),
		want: []string{`4:18: rules[0].match.image: is an empty list, which matches nothing; leave the field out to match anything`},
	},
	{
		name: "a bad glob", text: withRule(`match: {image: ["[a"]}`),
		want: []string{`4:19: rules[0].match.image[0]: "[a" is not a glob: syntax error in pattern`},
	},
	{
		name: "bad kind", text: withRule("match: {kind: [Pod]}"),
		want: []string{`4:18: rules[0].match.kind[0]: unknown value "Pod", want Sandbox, Container`},
	},
	{
		name: "bad capability", text: withRule("match: {capabilities: [SYS_ADMIN]}"),
		want: []string{`4:26: rules[0].match.capabilities[0]: unknown capability "SYS_ADMIN"`},
	},
	{
		name: "CRI's annotation",
		text: withRule("match: {annotations: {io.kubernetes.cri.sandbox-name: [a]}}"),
		want: []string{`4:25: rules[0].match.annotations: "io.kubernetes.cri.sandbox-name" is CRI's own; match pod, container, image or kind, which count only where CRI wrote them`},
	},
	{
		name: "loosens by annotation",
		text: withRule("match: {annotations: {example.com/debug: [\"yes\"]}}\n  absent: Unconfined"),
		want: []string{`4:10: warning: rules[0].match: loosens by annotations, which are the pod author's word: whoever may create a pod may set them`},
	},
	{
		name: "tightens by annotation",
		text: withRule("match: {annotations: {example.com/debug: [\"yes\"]}}\n  absent: Deny"),
	},
	{
		name: "tightens what is present by annotation",
		text: withRule("match: {annotations: {example.com/debug: [\"yes\"]}}\n  present: Deny"),
	},
	{
		name: "loosens what is present by annotation",
		text: withRule("match: {annotations: {example.com/debug: [\"yes\"]}}\n  present: RuntimeDefault"),
		want: []string{`4:10: warning: rules[0].match: loosens by annotations, which are the pod author's word: whoever may create a pod may set them`},
	},
	{
		name: "only audits by annotation",
		text: withRule("match: {annotations: {example.com/debug: [\"yes\"]}}\n  mode: Audit"),
		want: []string{`4:10: warning: rules[0].match: loosens by annotations, which are the pod author's word: whoever may create a pod may set them`},
	},
	{
		name: "audits by annotation where all does",
		text: "mode: Audit\n" + withRule("match: {annotations: {example.com/debug: [\"yes\"]}}\n  mode: Audit"),
	},
	{
		name: "unreachable",
		text: "version: 1\nrules:\n- {name: all, match: {pod: {namespace: [\"tenant-*\"]}}}\n- {name: one, match: {pod: {namespace: [tenant-a], name: [x]}}, absent: Deny}",
		want: []string{`4:3: warning: rules[1]: is never reached: rule "all" before it matches all that it matches`},
	},
	{
		name: "reachable",
		text: "version: 1\nrules:\n- {name: one, match: {pod: {namespace: [tenant-a], name: [x]}}, absent: Deny}\n- {name: all, match: {pod: {namespace: [\"tenant-*\"]}}}",
	},
	{name: "all at once", text: "version: 3\nabsnt: Deny\nmode: Off\nrules: [{}]", want: []string{
		`2:1: unknown key "absnt"; did you mean "absent"?`,
		`3:7: mode: unknown value "Off", want Enforce, Audit`,
		`1:10: version: version 3 is unknown; this Batten reads version 1`,
		`4:9: rules[0]: has no name; records and errors call a rule by its name`,
		`4:9: rules[0]: has no match; write "match: {}" for a rule that is for every container`,
	}},
}

func TestParseFindings(t *testing.T) {
	for _, tt := range parseFindings {
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

// fuzzDropIn reads data as a drop-in: what is accepted demands something and says nothing else.
func fuzzDropIn(t *testing.T, data []byte, read policy.ReadProfile) {
	t.Helper()
	d, findings := policy.ParseDropIn("d.yaml", data, read)
	if (d == nil) != (findings.Err() != nil) {
		t.Fatalf("drop-in %v beside error %v", d, findings.Err())
	}
	if d == nil {
		return
	}
	none := policy.Answers{Absent: policy.RuntimeDefault, Present: policy.Keep, Floor: policy.None, Hooks: policy.Keep, Mode: policy.Enforce}
	if len(d.Mandatory) == 0 || d.Answers != none || len(d.Rules) != 0 || d.RestoreAllowed || d.Log != "" {
		t.Fatalf("drop-in %+v", d)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		policy.Builtin, "", "version: 1\nmode: Audit\n",
		"version: 1\nabsent: a\nprofiles: {a: {inline: {defaultAction: SCMP_ACT_LOG}}}\nrules:\n- {name: r, match: {pod: {namespace: ['x*']}, kind: [Sandbox], capabilities: [CAP_BPF], annotations: {k: ['?']}}, present: Deny}\n",
		"version: 1\nhooks: Record\nrules:\n- {name: r, match: {mounts: [/etc/batten, '/run/*'], namespaces: [host-pid]}, hooks: Deny}\n",
		goodDropIn, "version: 1\nmandatoryFloors: [RuntimeDefault]\nabsent: Unconfined\n",
		"a: &x [*x]\n<<: *x\n", "? {a: b}\n: c\n", "version: !!int 0x1\n", "\xff\xfe", "- - - -", "version: 1 # \u2028\n",
	} {
		f.Add([]byte(seed))
	}
	read := func(file string) (string, []byte, error) {
		return file, []byte(`{"defaultAction": "SCMP_ACT_LOG"}`), nil
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fuzzDropIn(t, data, read)
		p, findings := policy.Parse("p.yaml", data, read)
		if (p == nil) != (findings.Err() != nil) {
			t.Fatalf("policy %v beside error %v", p, findings.Err())
		}
		if p == nil {
			return
		}
		// Whatever was accepted decides, and by words that mean something.
		for _, filtered := range []bool{false, true} {
			r := policy.Request{ContainerdNamespace: "k8s.io", Filtered: filtered}
			if o := p.Resolve(r, nil, policy.Machine{}); o.Word == "" || o.Mode == "" || o.Reason == "" {
				t.Fatalf("outcome %+v", o)
			}
		}
	})
}
