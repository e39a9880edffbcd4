package policy

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
)

// DropInDir is where drop-ins are looked for. They hold for every policy of the node.
const DropInDir = names.Config + "/policy.d"

// dropInEnding is how the names of drop-ins end.
const dropInEnding = ".yaml"

// maxDropIns bounds how many drop-ins a node has.
const maxDropIns = 256

// DropIn is a file in [DropInDir].
type DropIn struct {
	Path string `json:"path"`
	// Digest is the SHA-256 of the file's bytes in hexadecimal.
	Digest string `json:"digest"`
}

// ParseDropIn reads a drop-in's text, which holds mandatory floors, whom they leave out, and
// profiles. It is a policy that says nothing else. It calls read once for each profile that is a
// file.
func ParseDropIn(file string, data []byte, read ReadProfile) (*Policy, document.Findings) {
	var findings document.Findings
	n := document.ParseYAML("drop-in", file, data, &findings)
	if findings.Err() != nil {
		return nil, findings
	}
	r := reader{read: read, findings: &findings, used: make(map[string]bool), policy: unwritten(file, data)}
	var version, mandatory, except, profiles document.Node
	n.Fields(DropInType, map[string]func(document.Node){
		"version": keepNode(&version), "mandatoryFloors": keepNode(&mandatory), "except": keepNode(&except), "profiles": keepNode(&profiles),
	})
	readVersion(version)
	var places map[string]document.Node
	if !profiles.IsZero() {
		places = r.profiles(profiles)
	}
	r.circles(places)
	r.mandatory(mandatory, excepts(except))
	r.unused(places)
	if findings.Err() != nil {
		return nil, findings
	}
	return r.policy, findings
}

// dropIns adds the drop-ins of the node to a policy, and returns a stamp of each file that it
// looked at. A drop-in that is broken is an error, as a broken policy is.
func (l Loader) dropIns(p *Policy) (stamps []stamp, findings document.Findings) {
	dir := l.DropIns
	if dir == "" {
		dir = DropInDir
	}
	stamps = append(stamps, listingOf(dir))
	broken := func(path, format string, args ...any) {
		findings = append(findings, document.Finding{What: "drop-in", File: path, Message: fmt.Sprintf(format, args...)})
	}
	resolved, err := l.resolve(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return stamps, nil
	}
	var entries []os.DirEntry
	if err == nil {
		entries, err = os.ReadDir(resolved)
	}
	if err != nil {
		broken(dir, "%v", cause(err))
		return stamps, findings
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if !strings.HasSuffix(e.Name(), dropInEnding) || strings.HasPrefix(e.Name(), ".") {
			findings = append(findings, document.Finding{
				What: "drop-in", File: path, Warning: true,
				Message: fmt.Sprintf("is not read: the name of a drop-in ends with %s and begins with no dot", dropInEnding),
			})
			continue
		}
		if len(p.DropIns) == maxDropIns {
			broken(dir, "has more than %d drop-ins", maxDropIns)
			break
		}
		more, found := l.dropIn(p, path)
		stamps, findings = append(stamps, more...), append(findings, found...)
	}
	return stamps, findings
}

// dropIn adds one drop-in to a policy.
func (l Loader) dropIn(p *Policy, path string) (stamps []stamp, findings document.Findings) {
	resolved, data, first, err := l.readFile(path, MaxSize)
	stamps = append(stamps, first)
	if err != nil {
		return stamps, document.Findings{{What: "drop-in", File: path, Message: err.Error()}}
	}
	own, findings := ParseDropIn(path, data, l.profiles(filepath.Dir(resolved), &stamps))
	if own == nil {
		return stamps, findings
	}
	p.add(own)
	return stamps, findings
}

// LoadDropIn reads one drop-in by itself, as it is read with a policy: the policy that it returns
// demands what the drop-in demands and nothing else.
func (l Loader) LoadDropIn(path string) (*Policy, document.Findings) {
	p := demandingNothing(BuiltinPath)
	_, findings := l.dropIn(p, path)
	return p, findings
}

// Alone returns the policy that demands what a drop-in demands and nothing else. ParseDropIn has read
// the drop-in.
func Alone(dropIn *Policy) *Policy { return demandingNothing(dropIn.Path).With(dropIn) }

func demandingNothing(path string) *Policy {
	p, _ := Parse(path, []byte("version: 1\nabsent: "+Unconfined+"\n"), nil) // which has no error
	return p
}

// add adds a drop-in, as ParseDropIn returns it.
func (p *Policy) add(own *Policy) {
	p.DropIns = append(p.DropIns, DropIn{Path: own.Path, Digest: own.Digest})
	p.Mandatory = append(p.Mandatory, own.Mandatory...)
	for _, name := range own.ProfileNames() {
		p.dropped = append(p.dropped, own.profiles[name])
	}
}

// With returns the policy as it would be with one more drop-in, which ParseDropIn has read.
func (p *Policy) With(dropIn *Policy) *Policy {
	next := p.copied()
	next.add(dropIn)
	return next
}

// demandingAll returns the policy as it is for containers that no drop-in leaves out.
func (p *Policy) demandingAll() *Policy {
	all := p.copied()
	for i := range all.Mandatory {
		all.Mandatory[i].Except = nil
	}
	return all
}

func (p *Policy) copied() *Policy {
	return &Policy{
		Path: p.Path, Digest: p.Digest, Log: p.Log, Architectures: p.Architectures, RestoreAllowed: p.RestoreAllowed,
		Answers: p.Answers, Rules: p.Rules, Mandatory: slices.Clone(p.Mandatory), DropIns: slices.Clone(p.DropIns),
		runtimeDefault: p.runtimeDefault, profiles: p.profiles, dropped: slices.Clone(p.dropped),
	}
}

// ownProfiles returns the profiles of the policy in the order of their names, and then those of
// its drop-ins. Those that are made from others are left out.
func (p *Policy) ownProfiles() (out []*profile.Profile) {
	var all []*source
	for _, name := range p.ProfileNames() {
		all = append(all, p.profiles[name])
	}
	for _, own := range append(all, p.dropped...) {
		if own.written != nil {
			out = append(out, own.written)
		}
	}
	return out
}
