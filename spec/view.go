package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// MaxSize is the largest config.json that Batten reads, in bytes. containerd's
// own specs are below 100 KiB.
const MaxSize = 16 << 20

// MaxValues is how many values a config.json may have, members and elements
// counted: a spec of containerd's has about 2,000.
const MaxValues = 200_000

// maxBounding is how many entries the bounding set may have; Linux has 41
// capabilities.
const maxBounding = 256

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
	// Root is root.path: the directory that becomes the container's root.
	Root string
	// Mounts are all of mounts, Namespaces all of linux.namespaces.
	Mounts     []Mount
	Namespaces []Namespace
	// Hooks are those of all kinds, kind by kind.
	Hooks []Hook
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
	"":                        {"annotations", "hooks", "linux", "mounts", "process", "root"},
	"hooks":                   hookKinds,
	"hooks.prestart[]":        {"args", "path"},
	"hooks.createRuntime[]":   {"args", "path"},
	"hooks.createContainer[]": {"args", "path"},
	"hooks.startContainer[]":  {"args", "path"},
	"hooks.poststart[]":       {"args", "path"},
	"hooks.poststop[]":        {"args", "path"},
	"linux":                   {"namespaces", "seccomp"},
	"linux.namespaces[]":      {"path", "type"},
	"mounts[]":                {"options", "source", "type"},
	"root":                    {"path"},
	"process":                 {"capabilities", "noNewPrivileges"},
	"process.capabilities":    {"bounding"},
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
	w := walker{spec: s}
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

// keep keeps the value at path, if it is one that Batten reads.
func (w *walker) keep(path string, where span) error {
	s := w.spec
	raw := s.data[where.start:where.end]
	isNull := string(raw) == "null"
	isObject := isNull || raw[0] == '{'
	var err error
	switch path {
	case "":
		if raw[0] == '{' {
			s.root = where
		}
		return nil
	case "linux":
		s.linux = where
	case "linux.seccomp":
		s.seccomp = where
		if !isNull {
			s.Seccomp = raw
		}
	case "annotations":
		err = json.Unmarshal(raw, &s.Annotations)
	case "process.capabilities.bounding":
		if err = json.Unmarshal(raw, &s.Bounding); err == nil && len(s.Bounding) > maxBounding {
			err = fmt.Errorf("has %d entries, more than the %d that Batten reads; Linux has 41 capabilities", len(s.Bounding), maxBounding)
		}
	case "process.noNewPrivileges":
		err = json.Unmarshal(raw, &s.NoNewPrivileges)
	case "hooks", "process", "process.capabilities", "root":
	default:
		err = s.keepOutside(path, raw)
	}
	switch path {
	case "hooks", "linux", "linux.seccomp", "process", "process.capabilities", "root":
		if !isObject {
			err = errors.New("not an object")
		}
	}
	if err != nil {
		return at(s.data, where.start, "%s: %v; see runtime-spec's config.md", path, err)
	}
	return nil
}
