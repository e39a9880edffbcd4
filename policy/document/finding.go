package document

import (
	"fmt"
	"strings"
)

// Finding is one thing that is wrong or doubtful in a file.
type Finding struct {
	// ID names the kind of finding and never changes, such as unknown-syscall. It is
	// empty if the file cannot be read at all.
	ID string
	// What is the sort of file ("policy", "profile"), File its name.
	What, File string
	// Line and Column count from 1; they are 0 if the finding is about the whole file.
	Line, Column int
	// Path is the place inside the document, such as rules[3].absent.
	Path string
	// Message says what is wrong and what to do.
	Message string
	// Warning is set if the file can be used nevertheless.
	Warning bool
}

// String returns the finding on one line: what "file":line:column: path: message.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q:", f.What, f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, "%d:%d:", f.Line, f.Column)
	}
	if f.Warning {
		b.WriteString(" warning:")
	}
	if f.Path != "" {
		b.WriteString(" " + f.Path + ":")
	}
	b.WriteString(" " + f.Message)
	return b.String()
}

// Findings are the findings about one or more files.
type Findings []Finding

// Errors returns the findings that are not warnings.
func (fs Findings) Errors() Findings { return fs.only(false) }

// Warnings returns the findings that are warnings.
func (fs Findings) Warnings() Findings { return fs.only(true) }

func (fs Findings) only(warning bool) Findings {
	var out Findings
	for _, f := range fs {
		if f.Warning == warning {
			out = append(out, f)
		}
	}
	return out
}

// Err returns nil where there are no errors, else one error with all of them, a
// line each.
func (fs Findings) Err() error {
	errs := fs.Errors()
	if len(errs) == 0 {
		return nil
	}
	return errs
}

// Error joins the findings, a line each.
func (fs Findings) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}
