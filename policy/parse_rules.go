package policy

import (
	"path"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
)

// rules reads the rules in order.
func (r *reader) rules(n document.Node) {
	lines := make(map[string]string)
	for _, item := range n.Items() {
		rule := r.rule(item)
		if first, dup := lines[rule.Name]; dup && rule.Name != "" {
			item.Errorf("a second rule named %q; the first is %s", rule.Name, first)
		}
		lines[rule.Name] = item.Path()
		r.policy.Rules = append(r.policy.Rules, rule)
	}
	if !r.quick && r.findings.Err() == nil {
		r.unreachable(n)
	}
}

func (r *reader) rule(n document.Node) Rule {
	rule := Rule{Answers: r.policy.Answers}
	var match, absent, present, floor document.Node
	n.Fields(ruleType, map[string]func(document.Node){
		"name":    func(v document.Node) { rule.Name = v.String() },
		"match":   func(v document.Node) { match = v },
		"absent":  func(v document.Node) { absent = v },
		"present": func(v document.Node) { present = v },
		"floor":   func(v document.Node) { floor = v },
		"hooks":   func(v document.Node) { rule.Hooks = hooks(v) },
		"mode":    func(v document.Node) { rule.Mode = mode(v) },
		"denials": func(v document.Node) { rule.Denials = Denials(v.Word()) },
	})
	if !match.IsZero() {
		rule.Match = readMatch(match, matchType)
	}
	r.answers(&rule.Answers, absent, present, floor)
	if len(rule.Match.Annotations) > 0 && r.loosens(rule.Answers) {
		match.Warnf("loosens by annotations, which are the pod author's word: whoever may create a pod may set them")
	}
	return rule
}

// loosens reports whether a may be looser than the top of the policy.
func (r *reader) loosens(a Answers) bool {
	top := r.policy.Answers
	return a.Absent != top.Absent && a.Absent != Deny ||
		a.Present != top.Present && a.Present != Deny ||
		a.Floor != top.Floor && top.Floor != None ||
		a.Hooks != top.Hooks && top.Hooks == Deny ||
		a.Mode == Audit && top.Mode != Audit
}

func annotations(n document.Node) map[string][]string {
	out := make(map[string][]string)
	n.Each(func(key, value document.Node, name string) {
		if strings.HasPrefix(name, criPrefix) {
			key.Errorf("%q is CRI's own; match pod, container, image or kind, which count only where CRI wrote them", name)
		}
		out[name] = globs(value)
	})
	return out
}

// globs reads a list of patterns of path.Match.
func globs(n document.Node) []string {
	items := n.Items()
	notEmpty(n, len(items))
	out := make([]string, 0, len(items))
	for _, item := range items {
		g := item.String()
		if _, err := path.Match(g, ""); err != nil {
			item.Errorf("%q is not a glob: %v", g, err)
		}
		out = append(out, g)
	}
	return out
}

func notEmpty(n document.Node, length int) {
	if n.IsList() && length == 0 {
		n.Errorf("is an empty list, which matches nothing; leave the field out to match anything")
	}
}

// capability reads the name of a capability (capabilities(7)).
func capability(n document.Node) string {
	name := n.String()
	if name != "" && !slices.Contains(profile.Capabilities, name) {
		n.Errorf("unknown capability %q%s", name, document.Suggest(name, slices.Clone(profile.Capabilities)))
	}
	return name
}
