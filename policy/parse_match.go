package policy

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/policy/document"
)

// readMatch reads a match. Only a rule's may have annotations.
func readMatch(n document.Node, t *document.Type) Match {
	var m Match
	list := func(into *[]string) func(document.Node) {
		return func(v document.Node) { *into = globs(v) }
	}
	visitors := map[string]func(document.Node){
		"containerdNamespace": list(&m.ContainerdNamespace),
		"pod": func(v document.Node) {
			v.Fields(podType, map[string]func(document.Node){
				"namespace": list(&m.PodNamespace),
				"name":      list(&m.PodName),
			})
		},
		"container": list(&m.Container),
		"image":     list(&m.Image),
		"runtime":   list(&m.Runtime),
		"kind": func(v document.Node) {
			for _, item := range v.Items() {
				m.Kind = append(m.Kind, item.Word())
			}
			notEmpty(v, len(m.Kind))
		},
		"capabilities": func(v document.Node) {
			for _, item := range v.Items() {
				m.Capabilities = append(m.Capabilities, capability(item))
			}
			notEmpty(v, len(m.Capabilities))
		},
		"mounts":     func(v document.Node) { m.Mounts = hostPaths(v) },
		"namespaces": func(v document.Node) { m.Namespaces = hostNamespaces(v) },
	}
	if t == matchType {
		visitors["annotations"] = func(v document.Node) { m.Annotations = annotations(v) }
	}
	n.Fields(t, visitors)
	return m
}

// excepts reads the containers that a drop-in leaves out.
func excepts(n document.Node) (out []Match) {
	if n.IsZero() {
		return nil
	}
	items := n.Items()
	if n.IsList() && len(items) == 0 {
		n.Errorf("is an empty list, which leaves out nothing; leave the key out")
	}
	var kinds, runtimes Match // of entries that have nothing else
	for _, item := range items {
		m := except(item)
		out = append(out, m)
		if reflect.DeepEqual(m, Match{Kind: m.Kind}) {
			kinds.Kind = append(kinds.Kind, m.Kind...)
		}
		if reflect.DeepEqual(m, Match{Runtime: m.Runtime}) {
			runtimes.Runtime = append(runtimes.Runtime, m.Runtime...)
		}
	}
	if len(items) > 1 && (kinds.Kind != nil && kinds.coversAll() || runtimes.Runtime != nil && runtimes.coversAll()) {
		n.Errorf("leaves out every container by its entries together; remove the drop-in where that is meant")
	}
	return out
}

func except(n document.Node) Match {
	before := n.Errors()
	m := readMatch(n, exceptType)
	switch {
	case n.Errors() != before:
	case m.coversAll():
		n.Errorf("leaves out every container; remove the drop-in where that is meant")
	case m.chosen():
		n.Warnf("leaves out by what whoever starts a container chooses: whoever may make a pod can be left out; name pod.namespace as well")
	}
	return m
}

// chosen reports whether whoever may start a container of any pod can have m match it: nothing but the
// pod's namespace is somebody else's word. Who may start others, through containerd or Docker, is root.
func (m Match) chosen() bool {
	anyPod := m.PodNamespace == nil || slices.Contains(m.PodNamespace, "*")
	work := m.Kind == nil || slices.Contains(m.Kind, Container)
	return anyPod && work && glob(m.ContainerdNamespace, names.CRINamespace, true)
}

// coversAll reports whether m is seen to match every container.
func (m Match) coversAll() bool {
	for _, globs := range []*[]string{&m.ContainerdNamespace, &m.Runtime} { // which all have
		if slices.Contains(*globs, "*") {
			*globs = nil
		}
	}
	if slices.Contains(m.Mounts, "/") { // no engine's container is without a mount
		m.Mounts = nil
	}
	if slices.Contains(m.Kind, Sandbox) && slices.Contains(m.Kind, Container) {
		m.Kind = nil
	}
	if slices.Contains(m.Runtime, names.RuntimeType) && slices.Contains(m.Runtime, names.Wrapper) {
		m.Runtime = nil
	}
	return m.covers(&Match{})
}

// ParseExcept reads one entry of a drop-in's except. what names the text in errors.
func ParseExcept(what, text string) (Match, error) {
	var findings document.Findings
	n := document.ParseYAML(what, text, []byte(text), &findings)
	if findings.Err() != nil {
		return Match{}, findings.Err()
	}
	m := except(n)
	return m, findings.Err()
}

// exceptType is what a drop-in leaves out: a match, but for annotations.
var exceptType = func() *document.Type {
	t := *matchType
	t.Keys = slices.Clone(t.Keys)
	for i, k := range t.Keys {
		if k.Name == "annotations" {
			t.Keys[i] = document.Key{Name: k.Name, Refused: "annotations are the word of the pod's author, who must not decide what is demanded of every container; match pod, container or image"}
		}
	}
	return &t
}()

// String returns m as it may stand in a policy: in JSON, with the keys sorted.
func (m Match) String() string {
	type fields = map[string]any
	out, pod := fields{}, fields{}
	put := func(into fields, key string, values []string) {
		if values != nil {
			into[key] = values
		}
	}
	put(pod, "namespace", m.PodNamespace)
	put(pod, "name", m.PodName)
	if len(pod) > 0 {
		out["pod"] = pod
	}
	if len(m.Annotations) > 0 {
		out["annotations"] = m.Annotations
	}
	for key, values := range map[string][]string{
		"containerdNamespace": m.ContainerdNamespace, "container": m.Container, "image": m.Image, "runtime": m.Runtime,
		"kind": m.Kind, "capabilities": m.Capabilities, "mounts": m.Mounts, "namespaces": m.Namespaces,
	} {
		put(out, key, values)
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(out) // strings can be encoded
	return string(bytes.TrimSpace(text.Bytes()))
}
