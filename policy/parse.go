package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
)

// ReadProfile returns the bytes of a profile that a policy names, by the path
// that is written there.
type ReadProfile func(file string) (path string, data []byte, err error)

// Parse reads a policy's text. The policy is nil if the findings have errors. Parse calls
// read once for each profile that is a file.
func Parse(file string, data []byte, read ReadProfile) (*Policy, document.Findings) {
	return parse(file, data, read, false)
}

func parse(file string, data []byte, read ReadProfile, quick bool) (*Policy, document.Findings) {
	var findings document.Findings
	n := document.ParseYAML("policy", file, data, &findings)
	if findings.Err() != nil {
		return nil, findings
	}
	r := reader{
		read: read, quick: quick, findings: &findings, used: make(map[string]bool),
		policy: unwritten(file, data),
	}
	r.top(n)
	if findings.Err() != nil {
		return nil, findings
	}
	return r.policy, findings
}

// unwritten returns a policy in which every field has its default, which is also what
// Parse makes of Builtin.
func unwritten(file string, data []byte) *Policy {
	sum := sha256.Sum256(data)
	return &Policy{
		Path: file, Digest: hex.EncodeToString(sum[:]),
		Architectures:  profile.Auto,
		Answers:        Answers{Absent: RuntimeDefault, Present: Keep, Floor: None, Hooks: Keep, Mode: Enforce},
		runtimeDefault: builtinProfile,
		profiles:       make(map[string]*source),
	}
}

// reader turns nodes into a Policy.
type reader struct {
	policy   *Policy
	read     ReadProfile
	quick    bool // as Loader.Quick
	findings *document.Findings
	used     map[string]bool // profiles that some answer names
}

// top reads the whole policy. Whatever the order in the file, it reads profiles before the
// fields that name one, and rules after the fields that they inherit.
func (r *reader) top(n document.Node) {
	var version, absent, present, floor, mandatory, runtimeDefault, profiles, rules document.Node
	p := r.policy
	n.Fields(Type, map[string]func(document.Node){
		"version":        keepNode(&version),
		"absent":         keepNode(&absent),
		"present":        keepNode(&present),
		"floor":          keepNode(&floor),
		"runtimeDefault": keepNode(&runtimeDefault),
		"profiles":       keepNode(&profiles),
		"rules":          keepNode(&rules),

		"mandatoryFloors": keepNode(&mandatory),
		"architectures": func(v document.Node) {
			p.Architectures = profile.Architectures(v.Word())
		},
		"restore": func(v document.Node) { p.RestoreAllowed = v.Word() == allow },
		"mode":    func(v document.Node) { p.Mode = mode(v) },
		"hooks":   func(v document.Node) { p.Hooks = hooks(v) },
		"denials": func(v document.Node) { p.Denials = Denials(v.Word()) },
		"log":     func(v document.Node) { p.Log = logPath(v) },
	})
	readVersion(version)
	var places map[string]document.Node
	if !profiles.IsZero() {
		places = r.profiles(profiles)
	}
	if !runtimeDefault.IsZero() {
		p.runtimeDefault = r.profileName(runtimeDefault)
	}
	r.circles(places)
	r.answers(&p.Answers, absent, present, floor)
	r.mandatory(mandatory, nil)
	if !rules.IsZero() {
		r.rules(rules)
	}
	r.unused(places)
}

// keepNode returns a visitor that keeps a value for later.
func keepNode(into *document.Node) func(document.Node) {
	return func(v document.Node) { *into = v }
}

func readVersion(n document.Node) {
	if n.IsZero() {
		return
	}
	if v := n.Uint(16); v != 1 {
		n.Errorf("version %d is unknown; this Batten reads version 1", v)
	}
}

// unused warns about profiles that nothing names.
func (r *reader) unused(places map[string]document.Node) {
	for _, name := range slices.Sorted(maps.Keys(places)) {
		if !r.used[name] {
			places[name].Warnf("profile %q is never used", name)
		}
	}
}

func mode(n document.Node) Mode { return Mode(n.Word()) }

func logPath(n document.Node) string {
	v := n.String()
	if v != "" && !path.IsAbs(v) {
		n.Errorf("%q is not an absolute path", v)
	}
	return v
}

// answers reads absent, present and floor. A field that is not written stays as it is.
func (r *reader) answers(a *Answers, absent, present, floor document.Node) {
	if !absent.IsZero() {
		a.Absent = r.profileName(absent)
	}
	if !present.IsZero() {
		a.Present = r.profileName(present)
	}
	if !floor.IsZero() {
		a.Floor = r.floor(floor)
	}
}

// profileName reads one of the words of the node's type or the name of a profile.
func (r *reader) profileName(n document.Node) string {
	name, words := n.String(), n.Words()
	if _, ok := r.policy.profiles[name]; ok {
		r.used[name] = true
		return name
	}
	if name == "" || slices.Contains(words, name) {
		return name
	}
	candidates := slices.Concat(words, slices.Collect(maps.Keys(r.policy.profiles)))
	what := "unknown profile"
	if strings.ToLower(name) != name {
		what = "unknown word"
	}
	n.Errorf("%s %q, want %s or the name of a profile%s", what, name, strings.Join(words, ", "), document.Suggest(name, candidates))
	return ""
}

// IsProfileName reports whether a policy can call a profile s.
func IsProfileName(s string) bool { return isLabel(s) && s != builtinProfile }

// isLabel reports whether s is a lower-case DNS label (RFC 1123).
func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
