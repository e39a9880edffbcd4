package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// source is the file that an object is of.
type source struct {
	lines []string // with their ends
	roots []*yaml.Node
	json  bool // a file that is read as JSON
}

func newSource(data []byte) (*source, error) {
	values := jsonValues(data)
	s := &source{lines: splitLines(string(data)), json: len(values) > 0}
	if len(values) > 1 {
		return s, s.stream(data, values)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var root yaml.Node
		err := decoder.Decode(&root)
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err != nil {
			return nil, err
		}
		s.roots = append(s.roots, root.Content[0])
	}
}

// stream takes JSON values that follow each other, as kubectl reads them.
func (s *source) stream(data []byte, values []jsonValue) error {
	line, column, last := 1, 1, 0
	for _, v := range values {
		before := splitLines(string(data[last:v.start]))
		if len(before) > 1 {
			line, column = line+len(before)-1, 1
		}
		column += utf8.RuneCountInString(before[len(before)-1])
		last = v.start
		var root yaml.Node
		if err := yaml.Unmarshal(data[v.start:v.end], &root); err != nil {
			return err
		}
		move(&root, line-1, column-1)
		s.roots = append(s.roots, root.Content[0])
	}
	return nil
}

// move adds to the places of what was read from the middle of a file.
func move(n *yaml.Node, lines, columns int) {
	if n.Line == 1 {
		n.Column += columns
	}
	n.Line += lines
	for _, c := range n.Content {
		move(c, lines, columns)
	}
}

// jsonValue is where a value of a file in JSON begins and ends.
type jsonValue struct{ start, end int }

// jsonValues returns the values of a file that is JSON values one after the other; none
// for other files.
func jsonValues(data []byte) (out []jsonValue) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	for {
		var v json.RawMessage
		err := decoder.Decode(&v)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			return nil
		}
		end := int(decoder.InputOffset())
		out = append(out, jsonValue{end - len(v), end})
	}
}

// isJSON reports whether data are JSON values, one after the other.
func isJSON(data []byte) bool { return len(jsonValues(data)) > 0 }
