package manifesttest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Manifest is a pod's.
type Manifest struct {
	Text string
	// Shared is set if anchors and merge keys tie parts of it together, JSON if it is JSON.
	Shared, JSON bool
}

// Generate returns the manifest of a number.
func Generate(number uint64) Manifest {
	w := &writer{Rand: rand.New(rand.NewPCG(number, 20))}
	text, shared := w.manifest()
	return Manifest{Text: text, Shared: shared, JSON: w.json}
}

// writer writes one.
type writer struct {
	*rand.Rand
	step int
	end  string
	json bool
	list bool // the items of lists are indented
}

// pair is a key with its value: a text as it is written, or others.
type pair struct {
	key   string
	text  string
	below []pair
	items [][]pair
	flow  bool
}

func (w *writer) pick(texts ...string) string { return texts[w.IntN(len(texts))] }

func (w *writer) comment(indent string) string {
	if w.json || w.IntN(8) > 0 {
		return ""
	}
	return indent + w.pick("# a comment", "# seccompProfile: {type: RuntimeDefault}", "#securityContext:") + w.end
}

func (w *writer) tail() string {
	if w.json || w.IntN(8) > 0 {
		return ""
	}
	return w.pick(" # why", "  # {", " #: x")
}

func (w *writer) flow(pairs []pair) string {
	var parts []string
	for _, p := range pairs {
		key, value := p.key, p.text
		if w.json {
			key = `"` + key + `"`
		}
		switch {
		case p.items != nil:
			var items []string
			for _, i := range p.items {
				items = append(items, w.flow(i))
			}
			value = "[" + strings.Join(items, w.pick(", ", ",")) + "]"
		case p.below != nil:
			value = w.flow(p.below)
		case w.json && (value == "" || value == "~" || value == "Null"):
			value = "null"
		case w.json && !strings.ContainsAny(value, "{[") && value != "null" && value != "true":
			value = `"` + value + `"`
		}
		parts = append(parts, key+": "+value)
	}
	if len(parts) == 0 {
		return w.pick("{}", "{ }")
	}
	if w.json && w.IntN(2) == 0 {
		return "{" + w.end + "  " + strings.Join(parts, ","+w.end+"  ") + w.end + "}"
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (w *writer) block(pairs []pair, column int) (out string) {
	indent := strings.Repeat(" ", column)
	for _, p := range pairs {
		out += w.comment(indent) + indent + p.key + ":"
		switch {
		case p.flow && (p.below != nil || p.items != nil):
			out += " " + strings.SplitN(w.flow([]pair{{key: "x", below: p.below, items: p.items}}), ": ", 2)[1]
			out = strings.TrimSuffix(out, "}") + w.tail() + w.end
		case p.items != nil:
			out += w.tail() + w.end
			at := column
			if w.list {
				at += w.step
			}
			for _, i := range p.items {
				item := w.block(i, at+2)
				out += strings.Repeat(" ", at) + "- " + strings.TrimLeft(withoutFirstComment(item), " ")
			}
		case p.below != nil:
			out += w.tail() + w.end + w.block(p.below, column+w.step)
		default:
			if p.text != "" {
				out += " " + p.text
			}
			out += w.tail() + w.end
			if p.text == "" {
				out += w.comment(indent + "  ")
			}
		}
	}
	return out
}

// withoutFirstComment returns a list's item so that its first key follows the dash.
func withoutFirstComment(text string) string {
	for strings.HasPrefix(strings.TrimLeft(text, " "), "#") {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text
}

// context returns a securityContext, or none.
func (w *writer) context() []pair {
	profile := func(text string) pair { return pair{key: "seccompProfile", text: text} }
	of := func(flow bool, below ...pair) []pair {
		return []pair{{key: "securityContext", below: below, flow: flow}}
	}
	flow := w.IntN(2) == 0
	switch w.IntN(11) {
	case 0:
		return []pair{{key: "securityContext"}}
	case 1:
		return []pair{{key: "securityContext", text: w.pick("null", "~", "{}", "{ }", "Null")}}
	case 2:
		return of(flow, pair{key: "runAsNonRoot", text: "true"})
	case 3:
		return of(flow, profile(w.pick("null", "")), pair{key: "runAsNonRoot", text: "true"})
	case 4:
		return of(flow, pair{key: "runAsNonRoot", text: "true"}, pair{key: "seccompProfile", below: []pair{{key: "type", text: "Unconfined"}}, flow: flow})
	case 5:
		return of(flow, pair{key: "seccompProfile", below: []pair{{key: "type", text: "RuntimeDefault"}}, flow: w.IntN(2) == 0})
	}
	return nil
}

// manifest returns a text, and whether it has anchors or merge keys.
func (w *writer) manifest() (text string, shared bool) {
	w.step, w.end, w.list = 2+w.IntN(7), w.pick("\n", "\n", "\r\n"), w.IntN(2) == 0
	w.json = w.IntN(6) == 0
	container := func(name string) []pair {
		c := append([]pair{{key: "name", text: name}, {key: "image", text: "busybox"}}, w.context()...)
		w.Shuffle(len(c), func(i, j int) { c[i], c[j] = c[j], c[i] })
		return c
	}
	containers := pair{key: "containers", items: [][]pair{container("a")}, flow: w.IntN(4) == 0}
	if w.IntN(2) == 0 {
		containers.items = append(containers.items, container("b"))
	}
	spec := append([]pair{containers}, w.context()...)
	if w.IntN(2) == 0 {
		spec = append(spec, pair{key: "restartPolicy", text: "Always"})
	}
	w.Shuffle(len(spec), func(i, j int) { spec[i], spec[j] = spec[j], spec[i] })
	metadata := []pair{{key: "name", text: "p"}, {key: "labels", below: []pair{{key: "app", text: "p"}}, flow: true}}
	if w.IntN(3) == 0 {
		metadata = append(metadata, w.annotations())
	}
	top := []pair{{key: "apiVersion", text: "v1"}, {key: "kind", text: "Pod"}, {key: "metadata", below: metadata, flow: w.IntN(4) == 0}, {key: "spec", below: spec}}
	switch {
	case w.json:
		return w.flow(top) + w.pick("", w.end), false
	case w.IntN(6) == 0:
		return w.shared(), true
	}
	head := w.pick("", "", "---"+w.end, "# a file"+w.end, w.end)
	return strings.TrimSuffix(head+w.block(top, 0), w.pick("", w.end)), false
}

func (w *writer) annotations() pair {
	pod := pair{key: "seccomp.security.alpha.kubernetes.io/pod", text: w.pick("runtime/default", "unconfined", "localhost/web.json", "docker/default")}
	of := pair{key: "container.seccomp.security.alpha.kubernetes.io/a", text: w.pick("runtime/default", "localhost/web.json")}
	other := pair{key: "example.com/a", text: "x"}
	all := [][]pair{{pod}, {of}, {pod, of}, {pod, other}, {other, of, pod}}
	return pair{key: "annotations", below: all[w.IntN(len(all))], flow: w.IntN(3) == 0}
}

// shared returns pods that anchors and merge keys tie together.
func (w *writer) shared() string {
	return strings.ReplaceAll(fmt.Sprintf(w.pick(
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: &l {app: p}}\nspec:\n  securityContext: &s {runAsNonRoot: true}\n  containers:\n  - {name: a, image: i, securityContext: *s}\n%s",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - &c\n    name: a\n    image: busybox\n    securityContext: {runAsNonRoot: true}\n  - <<: *c\n    name: b\n%s",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: a\n    image: busybox\n    securityContext: &s\n      runAsNonRoot: true\n      seccompProfile: &u {type: Unconfined}\n  - name: b\n    image: busybox\n    securityContext:\n      <<: *s\n      privileged: true\n%s",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: a\n    image: busybox\n    securityContext: &s\n  - name: b\n    image: busybox\n    securityContext: *s\n%s",
		"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: p}\n  spec: &spec\n    containers:\n    - name: a\n      image: busybox\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: q}\n  spec: *spec\n%s",
		"apiVersion: v1\nx-context: &s\n  runAsNonRoot: true\nkind: Pod\nmetadata: {name: p}\nspec:\n  securityContext: *s\n  containers:\n  - {name: a, image: i}\n%s",
		"apiVersion: v1\nkind: Pod\nx-context: &s {seccompProfile: {type: Unconfined}}\nmetadata: {name: p}\nspec:\n  securityContext: *s\n  containers:\n  - {name: a, image: i}\n%s",
		"apiVersion: v1\nkind: Pod\nmetadata: &m\n  name: p\n  annotations:\n    seccomp.security.alpha.kubernetes.io/pod: runtime/default\nx-metadata: *m\nspec:\n  containers:\n  - {name: a, image: i}\n%s",
		"apiVersion: v1\nkind: Pod\nmetadata: !!map\n  name: p\n? spec\n: containers:\n  - name: a\n    image: busybox\n%s",
		"\ufeffapiVersion: v1\nkind: Pod\nmetadata: {name: p}\n\"sp\\u0065c\": {containers: [ {name: a, # one\n  image: i}, ], }\n%s",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  ? securityContext\n  : runAsNonRoot: true\n  containers:\n  - ? name\n    : a\n    image: i\n%s",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: a\n    image: i\n    command: [sh, -c, 'echo\n\n      spec:']\n    securityContext: !!null\n%s",
	), w.pick("", "# the end\n")), "\n", w.end)
}
