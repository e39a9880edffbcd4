package spec

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// walker visits every value of a spec once, in order. The text is known to be valid JSON, so
// that the first byte of a value says what it is. The tokens of encoding/json would take
// several times as long.
type walker struct {
	spec   *Spec
	pos    int
	values int // how many were visited
}

// value visits the next value, and keeps it if Batten reads it.
func (w *walker) value(path string, depth int) error {
	w.space()
	start := w.pos
	if depth > maxDepth {
		return at(w.spec.data, start, "%s: nested more than %d deep; no runtime-spec field is", path, maxDepth)
	}
	if w.values++; w.values > MaxValues {
		return at(w.spec.data, start, "more than the %d values that Batten reads; make the spec smaller", MaxValues)
	}
	var err error
	switch w.spec.data[start] {
	case '{':
		err = w.object(path, depth)
	case '[':
		err = w.array(path, depth)
	case '"':
		if s := w.str(); exact(path) {
			err = w.noNUL(start, s, "a string")
		}
	default: // a number or a word
		for w.pos < len(w.spec.data) && strings.IndexByte(" \t\r\n,]}", w.spec.data[w.pos]) < 0 {
			w.pos++
		}
	}
	if err != nil {
		return err
	}
	return w.keep(path, span{start, w.pos})
}

// space skips white space.
func (w *walker) space() {
	for w.pos < len(w.spec.data) && strings.IndexByte(" \t\r\n", w.spec.data[w.pos]) >= 0 {
		w.pos++
	}
}

// str skips a string and returns it with its quotes and escapes.
func (w *walker) str() []byte {
	start := w.pos
	for w.pos++; w.spec.data[w.pos] != '"'; w.pos++ {
		if w.spec.data[w.pos] == '\\' {
			w.pos++
		}
	}
	w.pos++
	return w.spec.data[start:w.pos]
}

// more skips an opening bracket or a comma, and reports whether an element follows. If none
// does, it skips the closing bracket.
func (w *walker) more(closing byte) bool {
	if w.spec.data[w.pos] != closing {
		w.pos++
		w.space()
	}
	if w.spec.data[w.pos] != closing {
		return true
	}
	w.pos++
	return false
}

// object visits the members of the object that begins here.
func (w *walker) object(path string, depth int) error {
	seen := make(map[string]bool)
	for w.more('}') {
		start := w.pos
		quoted := w.str()
		if err := w.noNUL(start, quoted, "a key"); err != nil {
			return err
		}
		key, err := unquote(quoted)
		if err != nil {
			return at(w.spec.data, start, "%s: %v", path, err)
		}
		if seen[key] {
			return at(w.spec.data, start, "key %q occurs twice in %s; runtimes may take either: remove one", key, name(path))
		}
		seen[key] = true
		if want := caseVariant(path, key); want != "" {
			return at(w.spec.data, start, "key %q in %s differs from %q only in case; runtimes may take either: write %q", key, name(path), want, want)
		}
		w.space()
		w.pos++ // the colon
		if err := w.value(join(path, key), depth+1); err != nil {
			return err
		}
		w.space()
	}
	return nil
}

// array visits the elements of the array that begins here.
func (w *walker) array(path string, depth int) error {
	for element := path + "[]"; w.more(']'); w.space() {
		if err := w.value(element, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// noNUL returns an error for a string with a NUL in it: crun reads only what is before the
// NUL.
func (w *walker) noNUL(start int, quoted []byte, what string) error {
	if !bytes.Contains(quoted, []byte(`\u0000`)) {
		return nil
	}
	s, err := unquote(quoted)
	if err != nil || !strings.ContainsRune(s, 0) {
		return err
	}
	return at(w.spec.data, start, "%s, %s, holds a NUL, where some runtimes end it; remove it", what, quoted)
}

// unquote returns the text of a JSON string, as runc's decoder reads it.
func unquote(quoted []byte) (string, error) {
	if bytes.IndexByte(quoted, '\\') < 0 && utf8.Valid(quoted) {
		return string(quoted[1 : len(quoted)-1]), nil
	}
	var s string
	err := json.Unmarshal(quoted, &s)
	return s, err
}

// caseVariant returns the guarded key of path that key differs from only in
// case, by encoding/json's rule (Unicode simple folding).
func caseVariant(path, key string) string {
	want := guarded[path]
	if slices.Contains(want, key) {
		return ""
	}
	for _, w := range want {
		if strings.EqualFold(w, key) {
			return w
		}
	}
	return ""
}

// join returns the path of a member. It quotes keys that would read as a path of several steps
// or as the root: the key "linux.seccomp" is not seccomp in linux.
//
// A path that is longer than any that Batten reads does not grow further: otherwise each
// member would copy the names of all its parents.
func join(path, key string) string {
	if len(path) > maxPath {
		return path
	}
	if len(key) > maxPath {
		return path + "." + strconv.Quote(key[:maxPath]) + "…"
	}
	if key == "" || strings.ContainsAny(key, `.[]"`) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// maxPath is longer than any path that Batten reads.
const maxPath = 256

func name(path string) string {
	if path == "" {
		return "the spec"
	}
	return path
}
