package profile

import (
	"encoding/json"
	"strconv"

	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Encode returns s as the JSON value of linux.seccomp: what encoding/json makes of
// the runtime-spec type, with one difference. An empty list of flags is
// written, since leaving it out makes runc load the filter with SPEC_ALLOW.
// It does not use encoding/json: a shim encodes one profile in its life, and reflection
// would take longer than the encoding.
func Encode(s specs.LinuxSeccomp) []byte {
	e := encoder{}
	e.object(func() {
		e.text("defaultAction", string(s.DefaultAction))
		e.errno("defaultErrnoRet", s.DefaultErrnoRet)
		if len(s.Architectures) > 0 {
			list(&e, "architectures", s.Architectures)
		}
		if s.Flags != nil {
			list(&e, "flags", s.Flags)
		}
		if s.ListenerPath != "" {
			e.text("listenerPath", s.ListenerPath)
		}
		if s.ListenerMetadata != "" {
			e.text("listenerMetadata", s.ListenerMetadata)
		}
		if len(s.Syscalls) > 0 {
			e.key("syscalls")
			array(&e, s.Syscalls, e.rule)
		}
	})
	return e.out
}

// encoder appends JSON.
type encoder struct{ out []byte }

func (e *encoder) rule(r specs.LinuxSyscall) {
	e.object(func() {
		list(e, "names", r.Names)
		e.text("action", string(r.Action))
		e.errno("errnoRet", r.ErrnoRet)
		if len(r.Args) > 0 {
			e.key("args")
			array(e, r.Args, e.arg)
		}
	})
}

func (e *encoder) arg(a specs.LinuxSeccompArg) {
	e.object(func() {
		e.number("index", uint64(a.Index))
		e.number("value", a.Value)
		if a.ValueTwo != 0 {
			e.number("valueTwo", a.ValueTwo)
		}
		e.text("op", string(a.Op))
	})
}

func (e *encoder) object(members func()) {
	e.out = append(e.out, '{')
	members()
	e.out = append(e.out, '}')
}

// key begins a member of an object.
func (e *encoder) key(name string) {
	if last := e.out[len(e.out)-1]; last != '{' {
		e.out = append(e.out, ',')
	}
	e.str(name)
	e.out = append(e.out, ':')
}

func (e *encoder) text(key, value string) { e.key(key); e.str(value) }

func (e *encoder) number(key string, value uint64) {
	e.key(key)
	e.out = strconv.AppendUint(e.out, value, 10)
}

func (e *encoder) errno(key string, value *uint) {
	if value != nil {
		e.number(key, uint64(*value))
	}
}

// str writes a string; what is not plain ASCII is encoding/json's to escape.
func (e *encoder) str(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // strings do not fail
			e.out = append(e.out, quoted...)
			return
		}
	}
	e.out = append(e.out, '"')
	e.out = append(e.out, s...)
	e.out = append(e.out, '"')
}

func list[T ~string](e *encoder, key string, values []T) {
	e.key(key)
	array(e, values, func(v T) { e.str(string(v)) })
}

func array[T any](e *encoder, values []T, write func(T)) {
	e.out = append(e.out, '[')
	for i, v := range values {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		write(v)
	}
	e.out = append(e.out, ']')
}

// Decode reads the value of a spec's linux.seccomp as runc does, which takes
// unknown keys; nil or null is no profile. More than [MaxSize] bytes are an error.
func Decode(data []byte) (*specs.LinuxSeccomp, error) {
	if len(data) == 0 {
		return nil, nil
	}
	if len(data) > semantics.MaxSize {
		return nil, semantics.ErrTooLarge
	}
	var s *specs.LinuxSeccomp
	err := json.Unmarshal(data, &s)
	return s, err
}
