package policy

import (
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
)

// profiles reads the profiles and returns where each stands.
func (r *reader) profiles(n document.Node) map[string]document.Node {
	places, from := make(map[string]document.Node), make(map[string]document.Node)
	n.Each(func(key, value document.Node, name string) {
		if !IsProfileName(name) {
			key.Errorf("%q cannot be a profile's name; use lower-case letters, digits and -, and not %q", name, builtinProfile)
			return
		}
		places[name] = key
		// The name counts as known even if the profile does not parse, so that one
		// problem is reported once.
		r.policy.profiles[name] = r.profile(name, value, from)
	})
	r.follow(from)
	return places
}

// profile reads one profile, and keeps the place of its from.
func (r *reader) profile(name string, n document.Node, madeFrom map[string]document.Node) *source {
	var file, inline, from, allow, deny document.Node
	n.Fields(profileType, map[string]func(document.Node){
		"file": keepNode(&file), "inline": keepNode(&inline), "from": keepNode(&from), "allow": keepNode(&allow), "deny": keepNode(&deny),
	})
	var p *profile.Profile
	switch {
	case !one(file, inline, from):
		n.Errorf("wants one of file, inline and from")
	case from.IsZero() && !(allow.IsZero() && deny.IsZero()):
		n.Errorf("has allow or deny, which go with from alone; name the profile that they change there")
	case !from.IsZero():
		madeFrom[name] = from
		return r.made(n, from, allow, deny)
	case !inline.IsZero():
		p = profile.FromNode(name, inline)
	default:
		p = r.profileFile(file)
	}
	if p != nil && p.Empty() {
		n.Errorf("profile %q filters nothing: it allows by default and has no rules; write %s where you mean that", name, Unconfined)
	}
	return &source{written: p}
}

// one reports whether exactly one of the nodes is there.
func one(nodes ...document.Node) bool {
	there := 0
	for _, n := range nodes {
		if !n.IsZero() {
			there++
		}
	}
	return there == 1
}

func (r *reader) profileFile(n document.Node) *profile.Profile {
	name := n.String()
	if name == "" {
		return nil
	}
	path, data, err := r.read(name)
	if err != nil {
		n.Errorf("%v", err)
		return nil
	}
	p, findings := profile.Parse(path, data)
	*r.findings = append(*r.findings, findings...)
	return p
}
