package reader

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// walk reports the keys of a file that an engine does not take as they are written.
func (e Engine) walk(n document.Node, kept decoded) {
	w := walker{engine: e}
	for _, p := range n.Pairs() {
		if strings.EqualFold(p.Name, "defaultAction") && p.Value.IsString() {
			w.defaultAction = p.Value.Text()
		}
	}
	w.object(n, kept.from(), rule{})
}

// walker goes through a file beside the type that it is decoded into.
type walker struct {
	engine        Engine
	defaultAction string
}

// rule is what the sentences about a rule's keys need to know of it; it is empty
// outside of rules.
type rule struct {
	names  []string
	action string
}

// object looks at the keys of an object that is decoded into t.
func (w *walker) object(n document.Node, t reflect.Type, r rule) {
	if t.Implements(reflect.TypeFor[interface{ UnmarshalJSON([]byte) error }]()) {
		return
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Slice:
		for _, item := range n.List() {
			w.object(item, t.Elem(), ruleOf(item))
		}
		return
	case reflect.Struct:
	default:
		return
	}
	seen := make(map[string]document.Node)
	for _, p := range n.Pairs() {
		name, value := field(t, p.Name)
		if name == "" {
			w.dropped(p, r)
			continue
		}
		if first, twice := seen[name]; twice {
			p.Key.As("duplicate-key").Errorf("%q occurs twice, first in line %d; %s takes the last and mixes lists of objects item by item; remove one",
				p.Name, first.Place().Line, w.engine)
		}
		seen[name] = p.Key
		if p.Name != name {
			p.Key.As("key-case").Warnf("%s reads %q as %q; write %q", w.engine, p.Name, name, name)
		}
		w.object(p.Value, value, r)
	}
	if flags, ok := seen["flags"]; ok && t == reflect.TypeFor[specs.LinuxSeccomp]() || ok && name(t, "flags") {
		w.flags(n, flags)
	}
}

// name reports whether t has a field by this JSON name.
func name(t reflect.Type, key string) bool {
	found, _ := field(t, key)
	return found == key
}

// field returns the JSON name and type of the field that encoding/json decodes a key
// into; the name is "" where there is none.
func field(t reflect.Type, key string) (name string, of reflect.Type) {
	depth := 0
	for _, f := range reflect.VisibleFields(t) {
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if tag == "" || !strings.EqualFold(tag, key) || name != "" && len(f.Index) >= depth {
			continue
		}
		name, of, depth = tag, f.Type, len(f.Index)
	}
	return name, of
}

func ruleOf(n document.Node) (r rule) {
	for _, p := range n.Pairs() {
		switch strings.ToLower(p.Name) {
		case "name":
			r.names = append(r.names, p.Value.Text())
		case "names":
			for _, item := range p.Value.List() {
				r.names = append(r.names, item.Text())
			}
		case "action":
			r.action = p.Value.Text()
		}
	}
	return r
}

// flags reports an empty list, which engines leave out when they write config.json.
func (w *walker) flags(n, key document.Node) {
	for _, p := range n.Pairs() {
		if strings.EqualFold(p.Name, "flags") && p.Value.IsList() && len(p.Value.List()) == 0 {
			key.As("dropped").Warnf("%s leaves an empty list of flags out of config.json, so the runtime loads the filter with SECCOMP_FILTER_FLAG_SPEC_ALLOW; write [\"SECCOMP_FILTER_FLAG_LOG\"], or nothing", w.engine)
		}
	}
}

// dropped reports a key that the engine does not know, and what that changes. A key that
// says nothing, and a comment, change nothing.
func (w *walker) dropped(p document.Pair, r rule) {
	if says := len(p.Value.List()) > 0 || len(p.Value.Pairs()) > 0 || p.Value.Text() != ""; !says || p.Name == "comment" {
		return
	}
	at := p.Key.As("dropped")
	calls := semantics.Some(slices.DeleteFunc(slices.Clone(r.names), func(s string) bool { return s == "" }))
	switch {
	case (p.Name == "includes" || p.Name == "excludes") && len(r.names) > 0:
		at.Errorf("%s drops %s, so the rule counts for every container: it %s %s for everybody", w.engine, p.Name, w.does(r.action), calls)
	case p.Name == "minKernel":
		at.Warnf("%s drops minKernel, so the condition holds on every kernel", w.engine)
	case p.Name == "name" && len(r.names) == 1:
		at.Errorf("%s drops name, so the rule names no call and does nothing: %s; write names: [%q]", w.engine, w.stays(calls), r.names[0])
	case p.Name == "archMap":
		at.Errorf("%s drops archMap, so the filter is for the machine's own ABI alone and kills 32-bit programs; write architectures", w.engine)
	case p.Name == "errno" || p.Name == "defaultErrno":
		at.Warnf("%s drops %s, so the call returns what %sRet says, and EPERM without it; write %sRet", w.engine, p.Name, p.Name, p.Name)
	case p.Name == "spec" && w.defaultAction == "":
		at.Errorf("%s drops spec, and with it the whole profile: a SeccompProfile is for the Security Profiles Operator, which writes what engines read", w.engine)
	case p.Name == "apiVersion" || p.Name == "kind" || p.Name == "metadata":
	case p.Name == "baseProfileName":
		at.Errorf("%s drops baseProfileName; only the Security Profiles Operator merges a base in, for its SeccompProfile objects", w.engine)
	default:
		at.Warnf("%s does not know %q and drops it%s", w.engine, p.Name, w.similar(p.Name))
	}
}

// similar suggests a key of a profile.
func (*walker) similar(key string) string {
	return document.Suggest(key, []string{
		"defaultAction", "defaultErrnoRet", "architectures", "flags", "listenerPath", "listenerMetadata", "syscalls",
		"names", "action", "errnoRet", "args", "index", "value", "valueTwo", "op",
	})
}

// does says what a rule's action does, as a verb.
func (w *walker) does(action string) string {
	if semantics.Permits(specs.LinuxSeccompAction(action)) {
		return "allows"
	}
	return "denies"
}

// stays says what becomes of calls without their rule.
func (w *walker) stays(calls string) string {
	if semantics.Permits(specs.LinuxSeccompAction(w.defaultAction)) {
		return fmt.Sprintf("nothing denies %s", calls)
	}
	return fmt.Sprintf("nothing allows %s", calls)
}
