package reader

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"

	"github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// decoded is a profile as an engine holds it in memory.
type decoded interface {
	// encode returns all that counts of it as JSON.
	encode() []byte
	// from is the type that the file was decoded into.
	from() reflect.Type
}

// plain is what containerd decodes into (contrib/seccomp, WithProfile).
type plain specs.LinuxSeccomp

func (d *plain) encode() []byte   { return encode((*specs.LinuxSeccomp)(d)) }
func (*plain) from() reflect.Type { return reflect.TypeFor[specs.LinuxSeccomp]() }

// docker is what Docker decodes into (github.com/moby/profiles/seccomp, LoadProfile).
type docker seccomp.Seccomp

func (*docker) from() reflect.Type { return reflect.TypeFor[seccomp.Seccomp]() }

func (d *docker) encode() []byte {
	d.ArchMap = slices.DeleteFunc(d.ArchMap, func(a seccomp.Architecture) bool { return a.Arch == "" }) // is for no machine
	return encode((*seccomp.Seccomp)(d))
}

// common is what Podman and CRI-O decode into: the types of containers/common's
// pkg/seccomp, which the Go module proxy does not serve.
type common struct {
	DefaultAction    string         `json:"defaultAction"`
	DefaultErrnoRet  *uint          `json:"defaultErrnoRet,omitempty"`
	DefaultErrno     string         `json:"defaultErrno,omitempty"`
	Architectures    []string       `json:"architectures,omitempty"`
	ArchMap          []commonArches `json:"archMap,omitempty"`
	Syscalls         []*commonRule  `json:"syscalls"`
	Flags            []string       `json:"flags,omitempty"`
	ListenerPath     string         `json:"listenerPath,omitempty"`
	ListenerMetadata string         `json:"listenerMetadata,omitempty"`
}

type commonArches struct {
	Arch      string   `json:"architecture"`
	SubArches []string `json:"subArchitectures"`
}

type commonRule struct {
	Name     string       `json:"name,omitempty"`
	Names    []string     `json:"names,omitempty"`
	Action   string       `json:"action"`
	Args     []*commonArg `json:"args"`
	Comment  string       `json:"comment"`
	Includes commonFilter `json:"includes"`
	Excludes commonFilter `json:"excludes"`
	ErrnoRet *uint        `json:"errnoRet,omitempty"`
	Errno    string       `json:"errno,omitempty"`
}

type commonArg struct {
	Index    uint   `json:"index"`
	Value    uint64 `json:"value"`
	ValueTwo uint64 `json:"valueTwo"`
	Op       string `json:"op"`
}

type commonFilter struct {
	Caps   []string `json:"caps,omitempty"`
	Arches []string `json:"arches,omitempty"`
}

func (*common) from() reflect.Type { return reflect.TypeFor[common]() }

// encode applies getErrno of containers/common: a name, or a number written as text,
// wins over errnoRet.
func (d *common) encode() []byte {
	wins := func(name *string, number **uint) {
		if *name == "" {
			return
		}
		*number = nil
		if v, err := strconv.ParseUint(*name, 10, 32); err == nil {
			ret := uint(v)
			*name, *number = "", &ret
		}
	}
	d.ArchMap = slices.DeleteFunc(d.ArchMap, func(a commonArches) bool { return a.Arch == "" })
	wins(&d.DefaultErrno, &d.DefaultErrnoRet)
	for _, r := range d.Syscalls {
		if r != nil {
			wins(&r.Errno, &r.ErrnoRet)
		}
	}
	return encode(d)
}

// encode writes v without what says nothing: null and whatever is empty.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	var value any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if dec.Decode(&value) != nil {
		return nil
	}
	text, _ = json.Marshal(prune(value)) // what was decoded encodes
	return text
}

func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			switch value := prune(value).(type) {
			case nil:
				delete(v, key)
			case string:
				if value == "" {
					delete(v, key)
				}
			case map[string]any:
				if len(value) == 0 {
					delete(v, key)
				}
			case []any:
				if len(value) == 0 {
					delete(v, key)
				}
			}
		}
	case []any:
		for _, item := range v {
			prune(item)
		}
	}
	return v
}
