package lint

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/batten-runtime/batten/internal/manifest"
)

// part is a document of a file, which stands at its place: the lines before it are empty.
type part struct {
	File
	objects []manifest.Object // none for a profile
	err     error             // what makes it no manifest
}

// parts returns the documents of a file.
func parts(f File) (out []part) {
	docs := split(f.Data)
	for _, data := range docs {
		p := part{File: File{Name: f.Name, Data: data, Found: f.Found}}
		p.objects, p.err = manifest.Parse(f.Name, data)
		if !slices.ContainsFunc(p.objects, manifest.Object.IsKubernetes) && (len(docs) == 1 || p.err != nil) {
			p.objects = nil
		}
		out = append(out, p)
	}
	return out
}

// split returns the documents of a file in YAML, each with empty lines in place of what
// is before it, so that places stay. A file in JSON is one document, as is one in which
// only one document has something to say.
func split(data []byte) (out [][]byte) {
	lines := bytes.SplitAfter(data, []byte("\n"))
	var before, doc []byte
	end := func() {
		if len(withoutComments(doc)) > 0 {
			out = append(out, append(slices.Clone(before), doc...))
		}
		before = append(before, bytes.Map(onlyBreaks, doc)...)
		doc = nil
	}
	for _, line := range lines {
		if rest, ok := bytes.CutPrefix(line, []byte("---")); ok && (len(rest) == 0 || bytes.ContainsAny(rest[:1], " \t\r\n")) {
			end()
			line = append([]byte("   "), rest...)
		}
		doc = append(doc, line...)
	}
	end()
	if len(out) < 2 {
		return [][]byte{data}
	}
	return out
}

// onlyBreaks maps to nothing all but what ends a line in YAML 1.1.
func onlyBreaks(r rune) rune {
	if r == '\n' || r == '\r' || r == '\u0085' || r == '\u2028' || r == '\u2029' {
		return r
	}
	return -1
}

// withoutComments returns the lines that are not empty, no comments and no directives.
func withoutComments(doc []byte) (out []byte) {
	for line := range bytes.Lines(doc) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && line[0] != '%' {
			out = append(out, line...)
		}
	}
	return out
}

// template matches what Helm and Go templates put in braces.
var template = regexp.MustCompile(`\{\{-?\s*[/.$a-zA-Z"(]`)

// Unrendered returns the line of the first expression of a template in a text; 0 if there
// is none.
func Unrendered(text []byte) (line int) {
	at := template.FindIndex(text)
	if at == nil {
		return 0
	}
	return bytes.Count(text[:at[0]], []byte("\n")) + 1
}
