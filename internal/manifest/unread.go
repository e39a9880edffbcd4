package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
)

// UnreadError says why an object is no pod that is read, and where.
type UnreadError struct {
	Object Object
	// Why is a sentence without the place.
	Why string
	at  Node // the object, if it holds no value
}

func (e *UnreadError) Error() string {
	line, column := e.Place()
	return fmt.Sprintf("manifest %q:%d:%d: %s: %s", e.Object.File, line, column, e.Object, e.Why)
}

// Place returns where the reason stands.
func (e *UnreadError) Place() (line, column int) { return e.where().Place() }

func (e *UnreadError) where() Node {
	if e.at.yaml == nil {
		return e.Object.Node
	}
	return e.at
}

const unreadable = "not a pod that the API server reads: "

// unread returns the error with the object that it is about.
func unread(o Object, err error) error {
	e := &UnreadError{Why: unreadable + err.Error()}
	errors.As(err, &e)
	e.Object = o
	return e
}

// twice returns an error for a mapping with a key that occurs twice, of which one reader
// takes the first and another the last.
func twice(n Node) *UnreadError {
	seen := make(map[string]bool)
	for _, e := range n.Entries() {
		key := e.Key.yaml
		if key.Kind == yaml.ScalarNode && seen[key.Value] {
			return &UnreadError{at: Node{yaml: key}, Why: fmt.Sprintf("key %q occurs twice: kubectl and the API server take the last one, and with strict validation they refuse the object; remove one", key.Value)}
		}
		seen[key.Value] = true
	}
	return nil
}

// wrongType returns the error of decoding a template's JSON text, with the place in the
// file where a value has another type than the field.
func (p *Pod) wrongType(text []byte, err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(json.Unmarshal(text, new(corev1.PodTemplateSpec)), &wrong) {
		return err
	}
	is, _, _ := strings.Cut(wrong.Value, " ")
	at, found := wrongValue(p.Template, strings.Split(wrong.Field, "."), is)
	if !found {
		return err
	}
	return &UnreadError{at: at, Why: fmt.Sprintf("%s%s is %s, and %s belongs there", unreadable, at.Path, inWords[is], typeWords(wrong.Type))}
}

// wrongValue returns the first value below keys that is of a type, in whichever elements
// of lists.
func wrongValue(n Node, keys []string, is string) (Node, bool) {
	for _, item := range n.Items() {
		if at, found := wrongValue(item, keys, is); found {
			return at, true
		}
	}
	if len(keys) == 0 {
		return n, n.Exists() && jsonType(n.yaml) == is
	}
	if next := n.Get(keys[0]); next.Exists() {
		return wrongValue(next, keys[1:], is)
	}
	return Node{}, false
}

// jsonType returns encoding/json's word for what a value becomes in JSON.
func jsonType(n *yaml.Node) string {
	switch n.Tag {
	case "!!map":
		return "object"
	case "!!seq":
		return "array"
	case "!!int", "!!float":
		return "number"
	case "!!bool":
		return "bool"
	}
	return "string"
}

var inWords = map[string]string{"object": "a mapping", "array": "a list", "number": "a number", "bool": "true or false", "string": "a text"}

// typeWords says what a field of a type takes.
func typeWords(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a mapping"
	}
	return "a number"
}
