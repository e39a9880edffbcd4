package manifest

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Edit replaces Old, which stands at a place, by New; an empty Old inserts.
type Edit struct {
	Line, Column int
	Old, New     string
}

// Apply makes edits in a file's text. One whose Old is not at its place is an
// error, and of two at one place or that overlap the second is left out.
func Apply(data []byte, edits []Edit) ([]byte, error) {
	type change struct {
		at int
		Edit
	}
	var changes []change
	for _, e := range edits {
		at, ok := offset(data, e.Line, e.Column)
		if !ok || !bytes.HasPrefix(data[at:], []byte(e.Old)) {
			return nil, fmt.Errorf("%d:%d: is no longer %q", e.Line, e.Column, e.Old)
		}
		changes = append(changes, change{at, e})
	}
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	var out bytes.Buffer
	end, last := 0, -1
	for _, c := range changes {
		if c.at < end || c.at == last {
			continue
		}
		out.Write(data[end:c.at])
		out.WriteString(c.New)
		end, last = c.at+len(c.Old), c.at
	}
	out.Write(data[end:])
	return out.Bytes(), nil
}

// offset is the byte at a place; columns count characters.
func offset(data []byte, line, column int) (at int, ok bool) {
	lines := splitLines(string(data))
	if line < 1 || line > len(lines) {
		return 0, false
	}
	for _, before := range lines[:line-1] {
		at += len(before)
	}
	text := lines[line-1]
	for ; column > 1; column-- {
		if text == "" || strings.IndexFunc(text, isBreak) == 0 {
			return 0, false
		}
		_, size := utf8.DecodeRuneInString(text)
		at, text = at+size, text[size:]
	}
	return at, true
}

// fits reports whether an edit's old text stands at its place in the object's file: a
// value may be written over several lines, or with escapes.
func (o Object) fits(e Edit) bool {
	if e.Line < 1 || e.Line > len(o.lines) {
		return false
	}
	line := []rune(o.lines[e.Line-1])
	return e.Column-1 <= len(line) && strings.HasPrefix(string(line[e.Column-1:]), e.Old)
}

// isBreak reports what ends a line in YAML 1.1 (section 4.2).
func isBreak(r rune) bool {
	return r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029'
}

// splitLines are the lines of a text, with their ends, as YAML counts them. The last
// one is what follows the last end.
func splitLines(text string) (lines []string) {
	for {
		end := strings.IndexFunc(text, isBreak)
		if end < 0 {
			return append(lines, text)
		}
		_, size := utf8.DecodeRuneInString(text[end:])
		if strings.HasPrefix(text[end:], "\r\n") {
			size = 2
		}
		lines, text = append(lines, text[:end+size]), text[end+size:]
	}
}

// replace is the edit that gives a scalar another value; none where the value
// is not written in one piece.
func (n Node) replace(value string) []Edit {
	quote := ""
	switch n.yaml.Style {
	case 0:
	case yaml.SingleQuotedStyle:
		quote = "'"
	case yaml.DoubleQuotedStyle:
		quote = `"`
	default:
		return nil
	}
	if !n.Exists() || n.yaml.Kind != yaml.ScalarNode || n.yaml.Anchor != "" {
		return nil
	}
	return []Edit{{n.yaml.Line, n.yaml.Column, quote + n.yaml.Value + quote, quote + value + quote}}
}

// put is the edit that writes fields in front of those of a mapping, indented as
// these are; none in a mapping in brackets.
func (n Node) put(lines ...string) []Edit {
	if !n.Exists() || n.yaml.Kind != yaml.MappingNode || n.isFlow() || len(n.yaml.Content) == 0 {
		return nil
	}
	first := n.yaml.Content[0]
	indent := strings.Repeat(" ", first.Column-1)
	return []Edit{{first.Line, first.Column, "", strings.Join(lines, "\n"+indent) + "\n" + indent}}
}

// isFlow reports whether a value is written in brackets, as in JSON.
func (n Node) isFlow() bool { return n.yaml.Style&yaml.FlowStyle != 0 }

// remove is the edit that takes the line of an entry out; none where the value
// does not end in it.
func (o Object) remove(e Entry) []Edit {
	key, value := e.Key.yaml, e.Value.yaml
	if key.Line > len(o.lines) || value.Kind == yaml.ScalarNode && value.Line != key.Line || value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		return nil
	}
	line := o.lines[key.Line-1]
	if strings.TrimSpace(string([]rune(line)[:key.Column-1])) != "" {
		return nil
	}
	return []Edit{{key.Line, 1, line, ""}}
}
