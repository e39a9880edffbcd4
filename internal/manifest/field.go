package manifest

import (
	"encoding/json"
	"regexp"
	"strings"
)

// field is a key with its value: a text, or other fields.
type field struct {
	key   string
	text  string
	below []field
}

// block writes a field over several lines, each behind indent.
func (f field) block(indent, step, end string) string {
	if f.below == nil {
		return indent + f.key + ": " + plainText(f.text)
	}
	out := indent + f.key + ":"
	for _, b := range f.below {
		out += end + b.block(indent+step, step, end)
	}
	return out
}

// flow writes a field in brackets, with quotes if JSON needs them.
func (f field) flow(quoted bool) string {
	key, value := f.key, ""
	switch {
	case f.below != nil:
		value = flowOf(f.below, quoted)
	case quoted:
		value = quote(f.text)
	default:
		value = plainText(f.text)
	}
	if quoted {
		key = quote(key)
	}
	return key + ": " + value
}

func flowOf(fields []field, quoted bool) string {
	var parts []string
	for _, f := range fields {
		parts = append(parts, f.flow(quoted))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// plain matches what YAML reads as a text without quotes.
var plain = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_/-]*(\.[A-Za-z0-9_/-]+)*$`)

func plainText(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return quote(text)
}

func quote(text string) string {
	out, _ := json.Marshal(text)
	return string(out)
}
