package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ParseYAML reads one YAML document. What and file name it in findings. The
// node's kind is 0 where findings has errors.
func ParseYAML(what, file string, data []byte, findings *Findings) Node {
	top := Node{what: what, file: file, findings: findings, yaml: &yaml.Node{Line: 1, Column: 1}}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var root yaml.Node
	switch err := dec.Decode(&root); {
	case errors.Is(err, io.EOF):
		top.yaml.Line, top.yaml.Column = 0, 0
		top.empty()
		return top
	case err != nil:
		top.syntax(err)
		return top
	}
	var second yaml.Node
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		top.yaml.Line, top.yaml.Column = second.Line, second.Column
		top.Errorf("a second document begins here; write one document a file")
		return top
	}
	top.yaml = root.Content[0]
	return top
}

// empty reports a file that holds nothing. A policy has a built-in default, a profile
// has none.
func (n Node) empty() {
	if n.what == "profile" {
		n.Errorf("the file is empty; an empty profile is not %q, write the whole profile", "Unconfined")
		return
	}
	n.Errorf("the file is empty, or has only comments; remove it, or write at least %q", "version: 1")
}

// syntax reports an error of the YAML parser, whose text names the line.
func (n Node) syntax(err error) {
	text := err.Error()
	m := regexp.MustCompile(`^yaml: (?:line (\d+): )?`).FindStringSubmatch(text)
	if m == nil {
		n.Errorf("%s", text)
		return
	}
	at := *n.yaml
	if line, err := strconv.Atoi(m[1]); err == nil {
		at.Line = line
	}
	n.yaml = &at
	n.Errorf("not valid YAML: %s", text[len(m[0]):])
}

// maxDepth bounds nesting in JSON files.
const maxDepth = 100

// ParseJSON reads one JSON value, with places as ParseYAML gives them.
func ParseJSON(what, file string, data []byte, findings *Findings) Node {
	top := Node{what: what, file: file, findings: findings, yaml: &yaml.Node{}}
	if len(bytes.TrimSpace(data)) == 0 {
		top.empty()
		return top
	}
	top.yaml.Line, top.yaml.Column = 1, 1
	if problem, offset := NotJSON(data); problem != "" {
		top.yaml.Line, top.yaml.Column = Place(data, offset)
		top.Errorf("%s", problem)
		return top
	}
	r := jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1}
	r.dec.UseNumber()
	root, err := r.value(0)
	if err != nil {
		top.yaml.Line, top.yaml.Column = Place(data, int(r.dec.InputOffset()))
		top.Errorf("%v", err)
		return top
	}
	top.yaml = root
	return top
}

// byteOrderMark is U+FEFF in UTF-8, which some editors put in front of a text.
var byteOrderMark = []byte("\xef\xbb\xbf")

// NotJSON returns why data is not one JSON value, in the words of encoding/json, which
// every engine written in Go prints, and at which byte. It returns "" if data is one.
func NotJSON(data []byte) (problem string, offset int) {
	var v any
	err := json.Unmarshal(data, &v)
	if err == nil {
		return "", 0
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		offset = max(0, int(syntax.Offset)-1) // it counts the byte that is wrong
	}
	switch {
	case bytes.HasPrefix(data, byteOrderMark):
		return fmt.Sprintf("begins with a byte-order mark, the bytes EF BB BF, which no reader of profiles takes (%v); save it without", err), 0
	case offset >= len(data)-1 && strings.HasPrefix(err.Error(), "unexpected end"):
		return fmt.Sprintf("not valid JSON: ends too early, at byte %d: %v", len(data), err), len(data)
	}
	return fmt.Sprintf("not valid JSON at byte %d: %v", offset+1, err), offset
}

// Place returns the line and column of an offset.
func Place(data []byte, offset int) (line, column int) {
	offset = min(max(offset, 0), len(data))
	return 1 + bytes.Count(data[:offset], []byte("\n")), max(1, offset-bytes.LastIndexByte(data[:offset], '\n'))
}

// jsonReader turns JSON tokens into the nodes that the YAML parser would make.
type jsonReader struct {
	data []byte
	dec  *json.Decoder
	// line and lineStart belong to the offset seen last, so that a file is
	// walked once.
	seen, line, lineStart int
}

// here returns the place where the next token begins.
func (r *jsonReader) here() (line, column int) {
	offset := int(r.dec.InputOffset())
	for offset < len(r.data) && bytes.IndexByte([]byte(" \t\r\n:,"), r.data[offset]) >= 0 {
		offset++
	}
	for ; r.seen < offset; r.seen++ {
		if r.data[r.seen] == '\n' {
			r.line, r.lineStart = r.line+1, r.seen+1
		}
	}
	return r.line, offset - r.lineStart + 1
}

func (r *jsonReader) value(depth int) (*yaml.Node, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested more than %d deep", maxDepth)
	}
	n := &yaml.Node{}
	n.Line, n.Column = r.here()
	token, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
		if t == '[' {
			n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		}
		for r.dec.More() {
			child, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, child)
		}
		_, err = r.dec.Token()
		return n, err
	case string:
		n.Tag, n.Value = "!!str", t
	case json.Number:
		n.Tag, n.Value = "!!int", t.String()
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(t)
	default:
		n.Tag = "!!null"
	}
	n.Kind = yaml.ScalarNode
	return n, nil
}

// Reread returns the JSON in data as a document with the places of n: a program has made
// data from n. It finds keys of n whatever their case, and of duplicate keys the last. A
// value that n does not have gets the place of the value around it.
func (n Node) Reread(data []byte) (Node, error) {
	r := jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1}
	r.dec.UseNumber()
	root, err := r.value(0)
	if err != nil {
		return n, err
	}
	relocate(root, n.yaml)
	n.yaml = root
	return n, nil
}

// relocate gives v, and all values in it, the places of from.
func relocate(v, from *yaml.Node) {
	v.Line, v.Column = from.Line, from.Column
	switch v.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(v.Content); i += 2 {
			key, value := from, from
			for j := 0; from.Kind == yaml.MappingNode && j+1 < len(from.Content); j += 2 {
				if strings.EqualFold(from.Content[j].Value, v.Content[i].Value) {
					key, value = from.Content[j], from.Content[j+1]
				}
			}
			v.Content[i].Line, v.Content[i].Column = key.Line, key.Column
			relocate(v.Content[i+1], value)
		}
	case yaml.SequenceNode:
		for i, item := range v.Content {
			at := from
			if from.Kind == yaml.SequenceNode && i < len(from.Content) {
				at = from.Content[i]
			}
			relocate(item, at)
		}
	}
}
