package manifest

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// repair is what a finding does to a file: the edits, and what they mean. One that means
// something without edits cannot be written into this file; one without both is none.
type repair struct {
	edits []Edit
	means []change
}

// and returns the repair that does both; none where one of them is none.
func (r repair) and(other repair) repair {
	both := repair{means: slices.Concat(r.means, other.means)}
	switch {
	case r.edits == nil && r.means == nil || other.edits == nil && other.means == nil:
		return repair{}
	case r.edits != nil && other.edits != nil:
		both.edits = append(r.edits[:len(r.edits):len(r.edits)], other.edits...)
	}
	return both
}

// isFlow reports whether a value is written in brackets, as in JSON.
func (n Node) isFlow() bool { return n.yaml.Style&yaml.FlowStyle != 0 }

// own returns a mapping's entry for a key, not one that a merge key brings.
func (n Node) own(key string) (Entry, bool) {
	for _, e := range n.Entries() {
		if e.Key.yaml.Value == key {
			return e, true
		}
	}
	return Entry{}, false
}

// write returns the edits that give a mapping another field. They are none where the
// mapping has that key with a value.
func (o Object) write(n Node, f field) []Edit {
	if !n.Exists() || n.yaml.Kind != yaml.MappingNode {
		return nil
	}
	if e, ok := n.own(f.key); ok {
		return o.fill(n, e, f)
	}
	if len(n.yaml.Content) == 0 {
		edit := Edit{Line: n.yaml.Line, Column: n.yaml.Column, Old: "{", New: "{" + f.flow(o.isJSON())}
		return o.fitting(edit)
	}
	first := n.yaml.Content[0]
	if first.Line < 1 {
		return nil // what an operator makes stands nowhere
	}
	edit := Edit{Line: first.Line, Column: first.Column}
	if !n.isFlow() {
		indent := strings.Repeat(" ", first.Column-1)
		edit.New = strings.TrimLeft(f.block(indent, o.indent(), o.lineEnd()), " ") + o.lineEnd() + indent
		return o.fitting(edit)
	}
	edit.New = f.flow(first.Style&yaml.DoubleQuotedStyle != 0) + ", "
	if before := o.before(first); first.Line > 1 && strings.TrimSpace(before) == "" {
		edit.New = strings.TrimRight(edit.New, " ") + o.lineEnd() + before
	}
	return o.fitting(edit)
}

// fill returns the edits that give a value to a key whose value is null.
func (o Object) fill(n Node, e Entry, f field) []Edit {
	key, value := e.Key.yaml, n.yaml.Content[0]
	for i := 0; i+1 < len(n.yaml.Content); i += 2 {
		if n.yaml.Content[i] == key {
			value = n.yaml.Content[i+1]
		}
	}
	quoted := key.Style&yaml.DoubleQuotedStyle != 0
	switch {
	case value.Kind != yaml.ScalarNode || value.Tag != "!!null" || value.Anchor != "" || value.Style != 0 || f.below == nil:
		return nil
	case value.Value != "":
		return o.fitting(Edit{Line: value.Line, Column: value.Column, Old: value.Value, New: flowOf(f.below, quoted)})
	}
	written, ok := written(key)
	if !ok {
		return nil
	}
	rest := []rune(o.line(key.Line))
	rest = rest[min(len(rest), key.Column-1+len([]rune(written))):]
	gap := len(rest) - len([]rune(strings.TrimLeft(string(rest), " ")))
	colon := key.Column + len([]rune(written)) + gap
	if gap >= len(rest) || rest[gap] != ':' {
		return nil
	}
	if n.isFlow() {
		return o.fitting(Edit{Line: key.Line, Column: colon, Old: ":", New: ": " + flowOf(f.below, quoted)})
	}
	after := strings.TrimSpace(string(rest[gap+1:]))
	if after != "" && !strings.HasPrefix(after, "#") {
		return nil
	}
	indent := strings.Repeat(" ", key.Column-1) + o.indent()
	var lines string
	for _, b := range f.below {
		lines += o.lineEnd() + b.block(indent, o.indent(), o.lineEnd())
	}
	text := strings.TrimRightFunc(o.line(key.Line), isBreak)
	return o.fitting(Edit{Line: key.Line, Column: len([]rune(text)) + 1, New: lines})
}

// written returns a scalar as it stands in the file, if it is written without escapes
// and in one piece.
func written(n *yaml.Node) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.Anchor != "" {
		return "", false
	}
	switch n.Style {
	case 0:
		return n.Value, true
	case yaml.SingleQuotedStyle:
		return "'" + n.Value + "'", true
	case yaml.DoubleQuotedStyle:
		return `"` + n.Value + `"`, true
	}
	return "", false
}

// replace is the repair that gives a scalar another value; none where the value
// is not written in one piece.
func (l *linter) replace(n Node, value string) repair {
	means := []change{{steps: n.steps, value: value}}
	old, ok := written(n.yaml)
	switch {
	case !n.Exists():
		return repair{}
	case !ok:
		return repair{means: means}
	}
	edit := Edit{Line: n.yaml.Line, Column: n.yaml.Column, Old: old, New: plainText(value)}
	if n.yaml.Style != 0 {
		edit.New = old[:1] + value + old[:1]
	}
	return repair{l.pod.fitting(edit), means}
}

// remove is the repair that takes an entry out, with its line if it has one; none
// where its value does not end there.
func (l *linter) remove(e Entry, flow bool) repair {
	means := []change{{steps: e.Key.steps, remove: true}}
	key, value := e.Key.yaml, e.Value.yaml
	switch {
	case flow:
		return repair{l.pod.cut(e), means}
	case value.Kind == yaml.ScalarNode && value.Line != key.Line || value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		return repair{means: means}
	case strings.TrimSpace(l.pod.before(key)) != "":
		return repair{means: means}
	}
	return repair{l.pod.fitting(Edit{Line: key.Line, Column: 1, Old: l.pod.line(key.Line)}), means}
}

// cut returns the edit that takes an entry out of a mapping in brackets, with its comma.
func (o Object) cut(e Entry) []Edit {
	value, ok := written(e.Value.yaml)
	text := strings.Join(o.source.lines, "")
	from, found := offset([]byte(text), e.Key.yaml.Line, e.Key.yaml.Column)
	to, foundEnd := offset([]byte(text), e.Value.yaml.Line, e.Value.yaml.Column)
	if !ok || !found || !foundEnd || !strings.HasPrefix(text[to:], value) {
		return nil
	}
	to += len(value)
	rest := strings.TrimLeft(text[to:], " \t\r\n")
	if strings.HasPrefix(rest, ",") {
		to = len(text) - len(strings.TrimLeft(rest[1:], " \t\r\n"))
	} else if before := strings.TrimRight(text[:from], " \t\r\n"); strings.HasSuffix(before, ",") {
		from = len(before) - 1
	}
	return []Edit{EditAt([]byte(text), from, text[from:to], "")}
}

// line returns a line of the object's file, with its end.
func (o Object) line(number int) string {
	if number < 1 || number > len(o.source.lines) {
		return ""
	}
	return o.source.lines[number-1]
}

// before returns what stands in front of a value on its line.
func (o Object) before(n *yaml.Node) string {
	line := []rune(o.line(n.Line))
	return string(line[:min(len(line), n.Column-1)])
}

// fitting returns an edit whose old text stands at its place: a value may be written over
// several lines, or with escapes.
func (o Object) fitting(e Edit) []Edit {
	line := []rune(o.line(e.Line))
	if e.Column < 1 || e.Column-1 > len(line) || !strings.HasPrefix(string(line[e.Column-1:]), e.Old) {
		return nil
	}
	return []Edit{e}
}

// lineEnd returns how lines of the file end.
func (o Object) lineEnd() string {
	first := o.source.lines[0]
	if end := first[len(strings.TrimRightFunc(first, isBreak)):]; end != "" {
		return end
	}
	return "\n"
}

// indent returns by how much the object's fields are indented below each other.
func (o Object) indent() string {
	for _, e := range o.Node.Entries() {
		if below := e.Value.Entries(); len(below) > 0 && !e.Value.isFlow() && !o.Node.isFlow() {
			if step := below[0].Key.yaml.Column - e.Key.yaml.Column; step >= 1 && step <= 8 {
				return strings.Repeat(" ", step)
			}
		}
	}
	return "  "
}

// isJSON reports whether the object is written as JSON.
func (o Object) isJSON() bool {
	entries := o.Node.Entries()
	return len(entries) > 0 && entries[0].Key.yaml.Style&yaml.DoubleQuotedStyle != 0 && o.Node.isFlow()
}
