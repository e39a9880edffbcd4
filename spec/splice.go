package spec

import (
	"bytes"
	"slices"
)

// Splice returns the spec's bytes with linux.seccomp replaced by seccomp, which is one JSON
// value. It adds the object linux if the spec has none. Every other byte stays. If the spec
// already has that value, the result is the same bytes.
func (s *Spec) Splice(seccomp []byte) []byte {
	switch {
	case !s.seccomp.missing():
		return s.replace(s.seccomp, seccomp)
	case s.linux.missing():
		return s.insert(s.root, member("linux", object("seccomp", seccomp)))
	case s.data[s.linux.start] != '{': // null
		return s.replace(s.linux, object("seccomp", seccomp))
	default:
		return s.insert(s.linux, member("seccomp", seccomp))
	}
}

// replace returns the bytes with the value at where exchanged.
func (s *Spec) replace(where span, value []byte) []byte {
	return slices.Concat(s.data[:where.start], value, s.data[where.end:])
}

// insert returns the bytes with a first member put into the object at where.
func (s *Spec) insert(where span, member []byte) []byte {
	inner := s.data[where.start+1 : where.end-1]
	if len(bytes.TrimSpace(inner)) > 0 {
		member = append(member, ',')
	}
	return slices.Concat(s.data[:where.start+1], member, s.data[where.start+1:])
}

// member returns "key":value.
func member(key string, value []byte) []byte {
	return slices.Concat([]byte(`"`+key+`":`), value)
}

// object returns an object of one member, {"key":value}.
func object(key string, value []byte) []byte {
	return slices.Concat([]byte("{"), member(key, value), []byte("}"))
}
