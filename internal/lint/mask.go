package lint

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/profile/reader"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// highBits returns the conditions of a profile that high bits pass, with the
// edits that make a profile in JSON mean what its author means.
func highBits(p *profile.Profile, data []byte) (out []manifest.Finding) {
	found := p.HighBits()
	for i, f := range p.HighBitsFindings() {
		out = append(out, manifest.Finding{Finding: f})
		if last := i+1 == len(found) || found[i+1].Rule != found[i].Rule; last {
			out[i].Edits = maskRule(data, f, slices.DeleteFunc(slices.Clone(found), func(h semantics.HighBits) bool { return h.Rule != found[i].Rule }))
		}
		switch {
		case !json.Valid(data):
			out[i].NotRepaired = "only profiles in JSON are"
		case len(found[i].Instead) == 0:
			out[i].NotRepaired = "the calls of the rule do not read the same bits: write a rule for each"
		}
	}
	return out
}

// RepairsHighBits reports whether [Repair] makes each condition of a profile's file mean
// what its author means that high bits pass.
func RepairsHighBits(name string, data []byte) bool {
	p, _ := reader.AsWritten.Read(name, data)
	if p == nil {
		return false
	}
	var edits []manifest.Edit
	for _, f := range highBits(p, data) {
		edits = append(edits, f.Edits...)
	}
	repaired, err := manifest.Apply(data, edits)
	if err != nil || len(edits) == 0 {
		return false
	}
	p, _ = reader.AsWritten.Read(name, repaired)
	return p != nil && len(p.HighBits()) == 0
}

// maxCopies bounds the rules that one is replaced by: a filter has room for few
// more.
const maxCopies = 128

// maskRule returns the edit that writes the rule at a finding's place once for
// each combination of masked conditions; none where there are too many, where one
// has none, and in YAML.
func maskRule(data []byte, at document.Finding, found []semantics.HighBits) []manifest.Edit {
	rule, start, ok := jsonValue(data, at)
	if !ok {
		return nil
	}
	copies := []string{string(rule)}
	for _, h := range slices.Backward(found) { // from the back, so that places stay
		if len(h.Instead) == 0 || len(copies)*len(h.Instead) > maxCopies {
			return nil
		}
		from, to, ok := condition(rule, h.Arg)
		if !ok {
			return nil
		}
		var next []string
		for _, text := range copies {
			for _, c := range h.Instead {
				next = append(next, text[:from]+conditionText(c)+text[to:])
			}
		}
		copies = next
	}
	if len(copies) == 1 && len(found) == 1 { // one condition for another: nothing else is touched
		from, to, _ := condition(rule, found[0].Arg)
		return []manifest.Edit{manifest.EditAt(data, start+from, string(rule[from:to]), conditionText(found[0].Instead[0]))}
	}
	return []manifest.Edit{manifest.EditAt(data, start, string(rule), strings.Join(copies, ",\n"+indentOf(data[:start])))}
}

// conditionText writes a condition as the tools of containers write it.
func conditionText(c specs.LinuxSeccompArg) string {
	text, _ := json.Marshal(struct {
		Index    uint                       `json:"index"`
		Value    uint64                     `json:"value"`
		ValueTwo uint64                     `json:"valueTwo"`
		Op       specs.LinuxSeccompOperator `json:"op"`
	}{c.Index, c.Value, c.ValueTwo, c.Op})
	return string(text)
}

// indentOf returns the white space that the last line of text begins with.
func indentOf(text []byte) string {
	line := text[bytes.LastIndexByte(text, '\n')+1:]
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}

// jsonValue returns the JSON value at a finding's place and where it begins.
func jsonValue(data []byte, at document.Finding) (value json.RawMessage, start int, ok bool) {
	if !json.Valid(data) {
		return nil, 0, false
	}
	for line := 1; line < at.Line; line++ {
		end := bytes.IndexByte(data[start:], '\n')
		if end < 0 {
			return nil, 0, false
		}
		start += end + 1
	}
	if start += at.Column - 1; start >= len(data) || data[start] != '{' {
		return nil, 0, false
	}
	err := json.NewDecoder(bytes.NewReader(data[start:])).Decode(&value)
	return value, start, err == nil
}

// condition returns where an element of a rule's args begins and ends.
func condition(rule []byte, arg int) (from, to int, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(rule))
	if _, err := dec.Token(); err != nil {
		return 0, 0, false
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return 0, 0, false
		}
		if key != "args" {
			var skipped json.RawMessage
			if dec.Decode(&skipped) != nil {
				return 0, 0, false
			}
			continue
		}
		if _, err := dec.Token(); err != nil {
			return 0, 0, false
		}
		for i := 0; dec.More(); i++ {
			var c json.RawMessage
			if dec.Decode(&c) != nil {
				return 0, 0, false
			}
			if end := int(dec.InputOffset()); i == arg {
				return end - len(c), end, true
			}
		}
		return 0, 0, false
	}
	return 0, 0, false
}
