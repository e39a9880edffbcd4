package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxSize is the largest config.json that Batten reads, in bytes. containerd's
// own specs are below 100 KiB.
const MaxSize = 16 << 20

// maxDepth bounds nesting, so that a spec cannot exhaust the shim's stack.
const maxDepth = 200

// View is what a decision needs to know of a spec.
type View struct {
	// Annotations are the spec's annotations (runtime-spec config.md).
	Annotations map[string]string
	// Bounding is process.capabilities.bounding: names such as CAP_SYS_ADMIN.
	Bounding []string
	// NoNewPrivileges is process.noNewPrivileges. With it runc installs the
	// filter just before execve, without it some steps earlier.
	NoNewPrivileges bool
	// Seccomp is the value of linux.seccomp as it stands, nil where it is
	// missing or null.
	Seccomp []byte
}

// Spec is one config.json: its bytes, the view, and where linux.seccomp is.
type Spec struct {
	View
	data           []byte
	root           span // the top-level object
	linux, seccomp span // zero where missing
}

// span is a half-open range of bytes of the file.
type span struct{ start, end int }

func (s span) missing() bool { return s == span{} }

// guarded lists, for each object that Batten reads, the keys that count. In
// paths, [] stands for any element of an array.
var guarded = map[string][]string{
	"":                     {"annotations", "linux", "process"},
	"linux":                {"seccomp"},
	"process":              {"capabilities", "noNewPrivileges"},
	"process.capabilities": {"bounding"},
	"linux.seccomp": {
		"architectures", "defaultAction", "defaultErrnoRet", "flags",
		"listenerMetadata", "listenerPath", "syscalls",
	},
	"linux.seccomp.syscalls[]":        {"action", "args", "errnoRet", "names"},
	"linux.seccomp.syscalls[].args[]": {"index", "op", "value", "valueTwo"},
}

// Parse reads a config.json. Its errors say line, column and key; data must
// not change while the Spec is in use.
func Parse(data []byte) (*Spec, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%d bytes are more than the %d that Batten reads; make the spec smaller", len(data), MaxSize)
	}
	if err := valid(data); err != nil {
		return nil, err
	}
	s := &Spec{data: data}
	w := walker{spec: s, dec: json.NewDecoder(bytes.NewReader(data))}
	w.dec.UseNumber()
	if err := w.value("", 0); err != nil {
		return nil, err
	}
	if s.root.missing() {
		return nil, fmt.Errorf("1:1: the spec is not a JSON object; let the engine write it again")
	}
	return s, nil
}

// valid checks that data is one JSON value and nothing else.
func valid(data []byte) error {
	if json.Valid(data) {
		return nil
	}
	var v any
	err := json.Unmarshal(data, &v)
	offset := 0
	if syntax, ok := err.(*json.SyntaxError); ok {
		offset = int(syntax.Offset) - 1 // it counts the byte that is wrong
	}
	return at(data, offset, "not valid JSON: %v; let the engine write it again", err)
}

// at makes an error that begins with the line and column of offset.
func at(data []byte, offset int, format string, args ...any) error {
	offset = min(max(offset, 0), len(data))
	line := 1 + bytes.Count(data[:offset], []byte("\n"))
	column := offset - bytes.LastIndexByte(data[:offset], '\n')
	return fmt.Errorf("%d:%d: %w", line, column, fmt.Errorf(format, args...))
}

// walker visits every value of a spec once, in order.
type walker struct {
	spec *Spec
	dec  *json.Decoder
}

// value visits the value that comes next and notes those that a Spec keeps.
func (w *walker) value(path string, depth int) error {
	start := w.next()
	if depth > maxDepth {
		return at(w.spec.data, start, "%s: nested more than %d deep; no runtime-spec field is", path, maxDepth)
	}
	token, err := w.dec.Token()
	if err != nil {
		return at(w.spec.data, start, "%s: %v", path, err)
	}
	switch token {
	case json.Delim('{'):
		err = w.object(path, depth)
	case json.Delim('['):
		err = w.array(path, depth)
	}
	if err != nil {
		return err
	}
	return w.keep(path, token, span{start, int(w.dec.InputOffset())})
}

// next is the offset at which the next value begins.
func (w *walker) next() int {
	offset := int(w.dec.InputOffset())
	for offset < len(w.spec.data) && strings.IndexByte(" \t\r\n:,", w.spec.data[offset]) >= 0 {
		offset++
	}
	return offset
}

// object visits the members of an object whose brace has been read.
func (w *walker) object(path string, depth int) error {
	seen := make(map[string]bool)
	for w.dec.More() {
		start := w.next()
		token, err := w.dec.Token()
		if err != nil {
			return at(w.spec.data, start, "%s: %v", path, err)
		}
		key := token.(string)
		if seen[key] {
			return at(w.spec.data, start, "key %q occurs twice in %s; runtimes may take either: remove one", key, name(path))
		}
		seen[key] = true
		if want := caseVariant(path, key); want != "" {
			return at(w.spec.data, start, "key %q in %s differs from %q only in case; runtimes may take either: write %q", key, name(path), want, want)
		}
		if err := w.value(join(path, key), depth+1); err != nil {
			return err
		}
	}
	_, err := w.dec.Token()
	return err
}

// array visits the elements of an array whose bracket has been read.
func (w *walker) array(path string, depth int) error {
	for w.dec.More() {
		if err := w.value(path+"[]", depth+1); err != nil {
			return err
		}
	}
	_, err := w.dec.Token()
	return err
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

// keep notes the value at path, if it is one that Batten reads.
func (w *walker) keep(path string, token json.Token, where span) error {
	s := w.spec
	raw := s.data[where.start:where.end]
	var err error
	switch path {
	case "":
		if token == json.Delim('{') {
			s.root = where
		}
	case "linux":
		s.linux = where
		err = isObject(token)
	case "linux.seccomp":
		s.seccomp = where
		if token != nil {
			s.Seccomp = raw
		}
		err = isObject(token)
	case "annotations":
		err = json.Unmarshal(raw, &s.Annotations)
	case "process.capabilities.bounding":
		err = json.Unmarshal(raw, &s.Bounding)
	case "process.noNewPrivileges":
		err = json.Unmarshal(raw, &s.NoNewPrivileges)
	case "process", "process.capabilities":
		err = isObject(token)
	}
	if err != nil {
		return at(s.data, where.start, "%s: %v; see runtime-spec's config.md", path, err)
	}
	return nil
}

func isObject(token json.Token) error {
	if token == nil || token == json.Delim('{') {
		return nil
	}
	return fmt.Errorf("not an object")
}

// join names a member. Keys that would read as a path of several steps, or as
// the root, are quoted: the key "linux.seccomp" is not seccomp in linux.
func join(path, key string) string {
	if key == "" || strings.ContainsAny(key, `.[]"`) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func name(path string) string {
	if path == "" {
		return "the spec"
	}
	return path
}
