package main

import (
	"io"
	"maps"
	"path/filepath"
	"strings"

	"github.com/batten-runtime/batten/manifest"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

// cliIDs are those of findings that need the compiler, or come before any.
var cliIDs = map[string]string{
	"not-a-profile":   "a file that is no profile that Batten or a runtime would read",
	"filters-nothing": "a profile for which runc installs no filter",
	"not-compiled":    "a profile that libseccomp does not compile",
	"too-long":        "a profile with more instructions than the kernel takes",
}

// lintIDs are all that batten lint can find, with what each means.
func lintIDs() map[string]string {
	all := maps.Clone(cliIDs)
	maps.Copy(all, manifest.IDs)
	maps.Copy(all, profile.IDs)
	return all
}

// writeSARIF prints findings as a SARIF 2.1.0 log.
func writeSARIF(w io.Writer, findings []manifest.Finding) error {
	run := sarif.NewRunWithInformationURI("batten lint", "https://github.com/batten-runtime/batten")
	meaning := lintIDs()
	for _, f := range findings {
		id, level := idOf(f.Finding), "error"
		if f.Warning {
			level = "warning"
		}
		run.AddRule(id).WithDescription(meaning[id])
		file := sarif.NewSimpleArtifactLocation(filepath.ToSlash(f.File))
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
	report := sarif.NewReport()
	report.AddRun(run)
	return report.PrettyWrite(w)
}

func replacement(e manifest.Edit) *sarif.Replacement {
	region := sarif.NewRegion().WithStartLine(e.Line).WithStartColumn(e.Column)
	if strings.HasSuffix(e.Old, "\n") {
		region = region.WithEndLine(e.Line + 1).WithEndColumn(1)
	} else {
		region = region.WithEndLine(e.Line).WithEndColumn(e.Column + len([]rune(e.Old)))
	}
	return sarif.NewReplacement().WithDeletedRegion(region).WithInsertedContent(sarif.NewArtifactContent().WithText(e.New))
}
