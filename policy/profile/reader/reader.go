package reader

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Engine is a program that reads profile files.
type Engine string

// Engines that differ in how they read.
const (
	// AsWritten is no engine: every key that some engine reads counts, and what none
	// knows is an error.
	AsWritten Engine = "as-written"
	// Containerd stands for its CRI plugin and for ctr.
	Containerd Engine = "containerd"
	Docker     Engine = "docker"
	// Podman and CRIO read with containers/common.
	Podman Engine = "podman"
	CRIO   Engine = "cri-o"
)

// Engines returns the names of all, in the order of the help.
func Engines() []string {
	return []string{string(Containerd), string(Docker), string(Podman), string(CRIO), string(AsWritten)}
}

// name returns what the engine is called in a sentence.
func (e Engine) name() string {
	return map[Engine]string{Docker: "Docker", Podman: "Podman", CRIO: "CRI-O"}[e]
}

func (e Engine) String() string {
	if name := e.name(); name != "" {
		return name
	}
	return string(e)
}

// IDs of findings, with what each means.
var IDs = map[string]string{
	"not-read":      "a file that the engine which reads it refuses",
	"duplicate-key": "a key that occurs twice, of which engines take the last",
	"key-case":      "a key in another case, which engines read and strict parsers do not",
}

// Read returns the profile in a file as the engine reads it, nil where the engine or
// the runtime behind it refuses the file. Findings may hold errors about a profile that
// the engine takes: it means something else than it says.
func (e Engine) Read(file string, data []byte) (*profile.Profile, document.Findings) {
	if e == AsWritten {
		return profile.ParseWrapped(file, data)
	}
	var findings document.Findings
	if len(data) > semantics.MaxSize {
		return profile.Parse(file, data)
	}
	written := document.ParseJSON("profile", file, data, &findings)
	if findings.Err() != nil {
		for i := range findings {
			findings[i].ID = "not-read"
			findings[i].Message = fmt.Sprintf("%s does not read it: %s", e, findings[i].Message)
		}
		return nil, findings
	}
	kept, err := e.decode(data)
	if err != nil {
		e.refuses(written, data, err)
		return nil, findings
	}
	e.walk(written, kept)
	read, err := written.Reread(kept.encode())
	if err != nil {
		written.Errorf("internal error: %v", err)
		return nil, findings
	}
	before := read.Errors()
	p := profile.FromNode(file, read)
	if read.Errors() > before {
		return nil, withoutEchoes(findings)
	}
	sum := sha256.Sum256(data)
	p.Digest = hex.EncodeToString(sum[:])
	return p, withoutEchoes(findings)
}

// withoutEchoes leaves out what only follows from what was dropped: that a rule whose
// name it was names nothing, that a profile whose spec it was has no default action.
func withoutEchoes(findings document.Findings) document.Findings {
	dropped := make(map[string]bool)
	for _, f := range findings {
		dropped[f.Path] = dropped[f.Path] || f.ID == "dropped"
	}
	return slices.DeleteFunc(findings, func(f document.Finding) bool {
		return f.ID == "names-nothing" && dropped[f.Path+".name"] || f.ID == "" && f.Path == "" && dropped["spec"]
	})
}

// For returns who reads a file that an author has at hand: the engine, but for a
// SeccompProfile the Security Profiles Operator, which writes a file for the engine.
// On the node the engine reads whatever it finds.
func (e Engine) For(file string, data []byte) Engine {
	if profile.IsWrapped(file, data) {
		return AsWritten
	}
	return e
}

// decode reads a file as the engine does.
func (e Engine) decode(data []byte) (decoded, error) {
	switch e {
	case Docker:
		var d docker
		return &d, json.Unmarshal(data, (*seccomp.Seccomp)(&d))
	case Podman, CRIO:
		var d common
		return &d, json.Unmarshal(data, &d)
	}
	var d plain
	return &d, json.Unmarshal(data, (*specs.LinuxSeccomp)(&d))
}

// refuses reports what encoding/json says of a value, at its place.
func (e Engine) refuses(at document.Node, data []byte, err error) {
	f := at.As("not-read").Place()
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		f.Line, f.Column = document.Place(data, valueBefore(data, int(wrong.Offset)))
		f.Path = pathAt(at, f.Line, f.Column)
	}
	f.Message = fmt.Sprintf("%s does not read it, so the container does not start: %v", e, err)
	at.Report(f)
}

// pathAt returns the path of the value below n that begins at a place; that of the value
// around it if none does.
func pathAt(n document.Node, line, column int) string {
	below := n.List()
	for _, p := range n.Pairs() {
		below = append(below, p.Value)
	}
	path := n.Path()
	for _, b := range below {
		at := b.Place()
		if at.Line > line || at.Line == line && at.Column > column {
			continue
		}
		path = pathAt(b, line, column) // the last one that begins before is around it
	}
	return path
}

// valueBefore returns where the string or number begins that ends at an offset.
func valueBefore(data []byte, end int) int {
	end = min(max(end, 0), len(data))
	if end > 0 && data[end-1] == '"' {
		return max(0, bytes.LastIndexByte(data[:end-1], '"'))
	}
	start := end
	for start > 0 && bytes.IndexByte([]byte("+-.0123456789eE"), data[start-1]) >= 0 {
		start--
	}
	return min(start, max(0, end-1))
}
