package lint

import (
	"bytes"
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

// WriteSARIF prints a report as a SARIF 2.1.0 log. Objects in which nothing was looked at
// are notes.
func WriteSARIF(w io.Writer, r Report) error {
	run := sarif.NewRunWithInformationURI("batten lint", "https://github.com/batten-runtime/batten")
	run.WithColumnKind("unicodeCodePoints") // as YAML's parser counts
	meaning := IDs()
	for _, f := range r.Findings {
		id, level := ID(f.Finding), "error"
		if f.Warning {
			level = "warning"
		}
		run.AddRule(id).WithDescription(meaning[id])
		file := location(f.File)
		place := sarif.NewPhysicalLocation().WithArtifactLocation(file)
		if f.Line > 0 {
			place = place.WithRegion(sarif.NewRegion().WithStartLine(f.Line).WithStartColumn(f.Column))
		}
		result := run.CreateResultForRule(id).WithLevel(level).WithMessage(sarif.NewTextMessage(f.Message))
		result.AddLocation(sarif.NewLocationWithPhysicalLocation(place))
		if len(f.Edits) > 0 {
			change := sarif.NewArtifactChange().WithArtifactLocation(file)
			for _, e := range f.Edits {
				change.AddReplacement(replacement(e))
			}
			result.Fixes = append(result.Fixes, sarif.NewFix().AddArtifactChange(change))
		}
	}
	for _, u := range r.Unseen {
		run.AddRule("not-looked-at").WithDescription("an object in which nothing was looked at")
		place := sarif.NewPhysicalLocation().WithArtifactLocation(location(u.File)).
			WithRegion(sarif.NewRegion().WithStartLine(u.Line).WithStartColumn(1))
		run.CreateResultForRule("not-looked-at").WithLevel("note").WithMessage(sarif.NewTextMessage(u.Object + ": " + u.Why)).
			AddLocation(sarif.NewLocationWithPhysicalLocation(place))
	}
	report := sarif.NewReport()
	report.AddRun(run)
	return writePlain(w, report)
}

// location returns a file as the reference that SARIF takes, with what is special in one
// escaped (section 3.10.1).
func location(file string) *sarif.ArtifactLocation {
	path := &url.URL{Path: filepath.ToSlash(file)}
	return sarif.NewSimpleArtifactLocation(path.String())
}

// writePlain prints a report without the fields that say nothing: the library writes -1
// for an index or a rank that is not set, and an empty list for each that has no item.
func writePlain(w io.Writer, report *sarif.Report) error {
	var text bytes.Buffer
	if err := report.Write(&text); err != nil {
		return err
	}
	var value any
	decoder := json.NewDecoder(&text)
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(plain(value))
}

// plain returns v without unset numbers and empty lists, but for the results of a run.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			list, isList := value.([]any)
			if value == json.Number("-1") || isList && len(list) == 0 && key != "results" {
				delete(v, key)
				continue
			}
			v[key] = plain(value)
		}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	}
	return v
}

func replacement(e manifest.Edit) *sarif.Replacement {
	region := sarif.NewRegion().WithStartLine(e.Line).WithStartColumn(e.Column)
	if lines := strings.Split(e.Old, "\n"); len(lines) > 1 {
		last := []rune(lines[len(lines)-1])
		region = region.WithEndLine(e.Line + len(lines) - 1).WithEndColumn(len(last) + 1)
	} else {
		region = region.WithEndLine(e.Line).WithEndColumn(e.Column + len([]rune(e.Old)))
	}
	return sarif.NewReplacement().WithDeletedRegion(region).WithInsertedContent(sarif.NewArtifactContent().WithText(e.New))
}
