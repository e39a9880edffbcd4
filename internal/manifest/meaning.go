package manifest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
	loose "sigs.k8s.io/yaml"
)

// change is what a repair does to the meaning of a document: at the end of steps there
// is a text, or nothing any more.
type change struct {
	root   *yaml.Node
	steps  []any
	value  string
	remove bool
}

// meaning returns a document's values as the API server reads them.
func meaning(root *yaml.Node) (value any, err error) {
	budget := maxNodes
	whole, err := withoutAliases(root, &budget)
	if err != nil {
		return nil, err
	}
	text, err := yaml.Marshal(whole)
	if err != nil {
		return nil, err
	}
	if text, err = loose.YAMLToJSON(text); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&value)
	return value, err
}

// does reports whether edits do to the file what changes say, and nothing else.
func (s *source) does(r repair) bool {
	var before bytes.Buffer
	for _, line := range s.lines {
		before.WriteString(line)
	}
	text, err := Apply(before.Bytes(), r.edits)
	if err != nil || s.json && !isJSON(text) {
		return false
	}
	after, err := newSource(text)
	if err != nil || len(after.roots) != len(s.roots) {
		return false
	}
	for i, root := range s.roots {
		changes := slices.DeleteFunc(slices.Clone(r.means), func(c change) bool { return c.root != root })
		want, err := meaning(root)
		got, errGot := meaning(after.roots[i])
		if err != nil || errGot != nil {
			// Neither can be read; they must be the same by letter.
			old, _ := yaml.Marshal(root)
			now, _ := yaml.Marshal(after.roots[i])
			if len(changes) > 0 || !bytes.Equal(old, now) {
				return false
			}
			continue
		}
		for _, c := range changes {
			if want = c.in(want, c.steps); want == nil {
				return false
			}
		}
		if !reflect.DeepEqual(want, got) {
			return false
		}
	}
	return true
}

// in returns v with the change; nil where v has no such place.
func (c change) in(v any, steps []any) any {
	key, number := "", -1
	switch step := steps[0].(type) {
	case string:
		key = step
	case int:
		number = step
	}
	list, isList := v.([]any)
	if isList && number >= 0 && number < len(list) && len(steps) > 1 {
		list[number] = c.in(list[number], steps[1:])
		if list[number] == nil {
			return nil
		}
		return list
	}
	if v == nil && !c.remove {
		v = map[string]any{}
	}
	fields, isMapping := v.(map[string]any)
	switch {
	case !isMapping || number >= 0:
		return nil
	case len(steps) == 1 && c.remove:
		delete(fields, key)
		return fields
	case len(steps) == 1:
		fields[key] = c.value
		return fields
	}
	if _, there := fields[key]; c.remove && !there {
		return fields // what is removed once more
	}
	below := c.in(fields[key], steps[1:])
	if below == nil {
		return nil
	}
	fields[key] = below
	return fields
}

// maxRead bounds, in bytes, how much is read again to find which repairs of a file are
// sound.
const maxRead = 16 << 20

// sound takes the edits from findings that would do anything else than they are meant
// to. Of two that want to change one place the first keeps its edits.
func sound(found []Finding) {
	bySource := make(map[*source][]*Finding)
	var order []*source
	for i := range found {
		f := &found[i]
		if f.Edits == nil {
			continue
		}
		if bySource[f.source] == nil {
			order = append(order, f.source)
		}
		bySource[f.source] = append(bySource[f.source], f)
	}
	for _, s := range order {
		all := repair{[]Edit{}, []change{}}
		var kept []*Finding
		for _, f := range bySource[s] {
			if collides(all.edits, f.Edits) {
				f.leave("another repair changes the same place")
				continue
			}
			all, kept = all.and(repair{f.Edits, f.means}), append(kept, f)
		}
		if !s.does(all) {
			s.sift(kept)
		}
	}
}

// sift takes the edits from findings that are not sound together with those before them.
func (s *source) sift(found []*Finding) {
	size := 1
	for _, line := range s.lines {
		size += len(line)
	}
	all := repair{[]Edit{}, []change{}}
	for tries, f := range found {
		more := all.and(repair{f.Edits, f.means})
		switch {
		case tries > maxRead/size:
			f.leave("the file is too large to try so many repairs one by one")
		case !s.does(more):
			f.leave("it would change another value too, which an anchor or a merge key shares, or what else stands there")
		default:
			all = more
		}
	}
}

// leave takes the edits from a finding, and says why.
func (f *Finding) leave(why string) { f.Edits, f.NotRepaired = nil, why }

// collides reports whether an edit of more changes the place of another one of edits.
func collides(edits, more []Edit) bool {
	for _, a := range edits {
		for _, b := range more {
			if a != b && a.Line == b.Line && (a.Column == b.Column || a.Column < b.end() && b.Column < a.end()) {
				return true
			}
		}
	}
	return false
}

// end returns the column behind an edit's old text.
func (e Edit) end() int { return e.Column + len([]rune(e.Old)) }
