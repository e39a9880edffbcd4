package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

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
		top.Errorf("the file is empty; remove it for the built-in default, or write at least %q", "version: 1")
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

// syntax reports yaml's own error, which names its line in the text.
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
		top.Errorf("the file is empty; an empty profile is not %q, write the whole profile", "Unconfined")
		return top
	}
	top.yaml.Line, top.yaml.Column = 1, 1
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		offset := 0
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			offset = int(syntax.Offset) - 1 // it counts the byte that is wrong
		}
		top.yaml.Line, top.yaml.Column = place(data, offset)
		top.Errorf("not valid JSON: %v", err)
		return top
	}
	r := jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data)), line: 1}
	r.dec.UseNumber()
	root, err := r.value(0)
	if err != nil {
		top.yaml.Line, top.yaml.Column = place(data, int(r.dec.InputOffset()))
		top.Errorf("%v", err)
		return top
	}
	top.yaml = root
	return top
}

// place is the line and column of an offset.
func place(data []byte, offset int) (line, column int) {
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

// here is the place where the next token begins.
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
