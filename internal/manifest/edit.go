package manifest

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
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

// EditAt is the edit that replaces old, which stands at a byte of data, by text.
func EditAt(data []byte, at int, old, text string) Edit {
	lines := splitLines(string(data[:at]))
	last := lines[len(lines)-1]
	return Edit{Line: len(lines), Column: utf8.RuneCountInString(last) + 1, Old: old, New: text}
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
