package install

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Marks in the text, by which a part is found again.
const (
	beginMark = "# batten: begin (batten uninstall takes this part out)"
	endMark   = "# batten: end"
	lineMark  = " # batten: before it was "
)

// insert puts a handler into a configuration's text, and makes it the default if
// asked to. What is there stays as it is.
func insert(text []byte, plugin string, h handler, o Options) ([]byte, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		text = fmt.Appendf(text, "version = %d\n", map[string]int{pluginOld: 2, pluginNew: 3}[plugin])
	}
	table := []string{"plugins", plugin, "containerd"}
	var block bytes.Buffer
	if o.Default {
		var done bool
		var err error
		if text, done, err = setDefault(text, table, o.Handler); err != nil {
			return nil, err
		}
		if !done {
			fmt.Fprintf(&block, "[%s]\n  default_runtime_name = %q\n", header(table), o.Handler)
		}
	}
	if h.implicit {
		fmt.Fprintf(&block, "# containerd's own, which it would forget\n[%s]\n  runtime_type = %q\n", header(append(table, "runtimes", "runc")), runcType)
	}
	fmt.Fprintf(&block, "# as %s, with Batten\n", h.wraps)
	if err := writeTable(&block, append(table, "runtimes", o.Handler), h.table); err != nil {
		return nil, err
	}
	if !bytes.HasSuffix(text, []byte("\n")) {
		text = append(slices.Clip(text), '\n')
	}
	out := fmt.Appendf(slices.Clip(text), "\n%s\n%s%s\n", beginMark, block.String(), endMark)
	var result map[string]any
	if err := toml.Unmarshal(out, &result); err != nil {
		return nil, fmt.Errorf("a handler cannot be put in beside what is there (%w); write the CRI plugin's tables with headers of their own", err)
	}
	return out, nil
}

// setDefault changes default_runtime_name where it is written, or puts it below
// its table's header. done is unset if there is no such header either.
func setDefault(text []byte, table []string, handler string) (out []byte, done bool, err error) {
	below, value, err := findDefault(text, table)
	if err != nil {
		return nil, false, err
	}
	switch {
	case value != nil:
		end := value.end
		for end < len(text) && text[end] != '\n' {
			end++
		}
		former := strings.TrimRight(string(text[value.begin:end]), "\r")
		return splice(text, value.begin, end, fmt.Sprintf("%q%s%s", handler, lineMark, former)), true, nil
	case below > 0:
		return splice(text, below, below, fmt.Sprintf("\n  default_runtime_name = %q%snothing", handler, lineMark)), true, nil
	}
	return text, false, nil
}

func splice(text []byte, begin, end int, with string) []byte {
	return slices.Concat(text[:begin], []byte(with), text[end:])
}

// span is where something is in a text.
type span struct{ begin, end int }

// findDefault finds the value of default_runtime_name, and the end of its table's
// header; nil and 0 where they are not there.
func findDefault(text []byte, table []string) (below int, value *span, err error) {
	var p unstable.Parser
	p.Reset(text)
	var in []string
	key := append(slices.Clip(table), "default_runtime_name")
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			in = in[:0]
			end := 0
			for it := e.Key(); it.Next(); {
				in = append(in, string(it.Node().Data))
				end = int(it.Node().Raw.Offset + it.Node().Raw.Length)
			}
			if e.Kind == unstable.Table && slices.Equal(in, table) {
				for end < len(text) && text[end] != '\n' { // a comment may follow
					end++
				}
				below = end
			}
		case unstable.KeyValue:
			at := slices.Clone(in)
			for it := e.Key(); it.Next(); {
				at = append(at, string(it.Node().Data))
			}
			if slices.Equal(at, key) {
				raw := e.Value().Raw
				value = &span{int(raw.Offset), int(raw.Offset + raw.Length)}
			}
		}
	}
	return below, value, p.Error()
}

// writeTable writes a table and those in it, each under a header.
func writeTable(w *bytes.Buffer, path []string, table map[string]any) error {
	fmt.Fprintf(w, "[%s]\n", header(path))
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if _, deeper := table[key].(map[string]any); deeper {
			continue
		}
		line, err := toml.Marshal(map[string]any{key: table[key]})
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  %s\n", bytes.TrimSpace(line))
	}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if deeper, ok := table[key].(map[string]any); ok {
			if err := writeTable(w, append(slices.Clip(path), key), deeper); err != nil {
				return err
			}
		}
	}
	return nil
}

var bareKey = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func header(path []string) string {
	quoted := make([]string, len(path))
	for i, key := range path {
		quoted[i] = key
		if !bareKey.MatchString(key) {
			quoted[i] = fmt.Sprintf("%q", key)
		}
	}
	return strings.Join(quoted, ".")
}

var (
	ownBlock = regexp.MustCompile(`(?ms)^(?:\r?\n)?` + regexp.QuoteMeta(beginMark) + `\r?\n.*?^` + regexp.QuoteMeta(endMark) + `\r?\n?`)
	ownLine  = regexp.MustCompile(`(?m)^[^\n]*` + regexp.QuoteMeta(lineMark) + `nothing\r?\n?`)
	ownValue = regexp.MustCompile(`(?m)"[^"\n]*"` + regexp.QuoteMeta(lineMark) + `(.*)$`)
)

// takeOutTOML takes out of a changed text what insert put in.
func takeOutTOML(s *state, text []byte) ([]byte, error) {
	if text = withoutOwn(text); s.named(text) || bytes.Contains(text, []byte(beginMark)) || bytes.Contains(text, []byte(lineMark)) {
		return nil, errors.New("the marks around Batten's part are gone, or not whole; take it out by hand, and then remove its file below " + DefaultDir)
	}
	if left := string(bytes.TrimSpace(text)); !s.Existed && (left == strings.TrimSpace(templateBase) || s.Kind == kindDropIn && versionAlone.MatchString(left)) {
		return nil, nil // nobody has added anything
	}
	return text, nil
}

// named reports whether a text has the handler's table, or its name as a value.
func (s *state) named(text []byte) bool {
	return regexp.MustCompile(`(\bruntimes\.|=\s*)["']?` + regexp.QuoteMeta(s.Handler) + `["'\].]`).Match(text)
}

var versionAlone = regexp.MustCompile(`^version = \d+$`)

func withoutOwn(text []byte) []byte {
	text = ownBlock.ReplaceAll(text, nil)
	text = ownLine.ReplaceAll(text, nil)
	return ownValue.ReplaceAll(text, []byte("${1}"))
}
