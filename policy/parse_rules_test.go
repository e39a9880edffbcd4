package policy_test

// ruleFindings are of rules, and of a whole policy.
var ruleFindings = []parseFinding{
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
		name: "except of a policy", text: "version: 1\nmandatoryFloors: [RuntimeDefault]\nexcept: [{kind: [Sandbox]}]",
		want: []string{`3:9: except: leaves containers out of the floors of a drop-in; in a policy write floor in place of mandatoryFloors, and a rule that lifts it`},
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
