package lint

import (
	"encoding/json"
	"io"

	"github.com/batten-runtime/batten/policy/document"
)

// Answer is a report in JSON, as batten lint --json prints it.
type Answer struct {
	// Files is the number of files, Judged of those in which a pod or a profile was judged.
	Files  int `json:"files"`
	Judged int `json:"judged"`
	// Errors and Warnings are the numbers of findings by their level.
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	// Findings are in the order of files and lines.
	Findings []Found `json:"findings"`
	// NotLookedAt are objects in which nothing was judged.
	NotLookedAt []NotLookedAt `json:"notLookedAt"`
}

// Found is a finding.
type Found struct {
	// ID is explained in docs/reference/findings.md.
	ID    string `json:"id"`
	Level string `json:"level" jsonschema:"enum=error,enum=warning"`
	// What is the sort of file.
	What string `json:"what" jsonschema:"enum=manifest,enum=profile"`
	File string `json:"file"`
	// Line and Column count from 1; they are missing where the place is the whole file.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Path is the place in the document, such as spec.containers[0].
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
	// Repairable is set where --fix repairs it.
	Repairable bool `json:"repairable"`
	// NotRepaired says why --fix leaves it, where it could be repaired if the file were
	// written otherwise.
	NotRepaired string `json:"notRepaired,omitempty"`
}

// NotLookedAt is an object in which nothing was judged.
type NotLookedAt struct {
	File string `json:"file"`
	Line int    `json:"line"`
	// Object is its kind and name.
	Object string `json:"object"`
	Why    string `json:"why"`
}

// Plain returns the findings without their edits.
func (r Report) Plain() (out document.Findings) {
	for _, f := range r.Findings {
		out = append(out, f.Finding)
	}
	return out
}

// WriteJSON prints a report as an [Answer].
func WriteJSON(w io.Writer, r Report) error {
	a := Answer{Files: r.Files, Judged: r.Judged, Findings: []Found{}, NotLookedAt: []NotLookedAt{}}
	for _, f := range r.Findings {
		level := "error"
		if f.Warning {
			level = "warning"
			a.Warnings++
		} else {
			a.Errors++
		}
		a.Findings = append(a.Findings, Found{
			ID: ID(f.Finding), Level: level, What: f.What, File: f.File, Line: f.Line, Column: f.Column,
			Path: f.Path, Message: f.Message, Repairable: len(f.Edits) > 0, NotRepaired: f.NotRepaired,
		})
	}
	for _, u := range r.Unseen {
		a.NotLookedAt = append(a.NotLookedAt, NotLookedAt{File: u.File, Line: u.Line, Object: u.Object, Why: u.Why})
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(a)
}
