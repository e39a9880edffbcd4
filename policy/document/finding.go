package document

import (
	"fmt"
	"strings"
)

// Finding is one thing that is wrong or doubtful in a file.
type Finding struct {
	// ID names the sort of finding for good, such as unknown-syscall; empty for
	// what makes a file unreadable.
	ID string
	// What is the sort of file ("policy", "profile"), File its name.
	What, File string
	// Line and Column count from 1; 0 where the place is the whole file.
	Line, Column int
	// Path is the place inside the document, such as rules[3].absent.
	Path string
	// Message says what is wrong and what to do.
	Message string
	// Warning is set where the file still has a meaning.
	Warning bool
}

// String is the finding on one line: what "file":line:column: path: message.
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

// Findings are what one or more files gave rise to.
type Findings []Finding

// Errors are the findings that are not warnings.
func (fs Findings) Errors() Findings { return fs.only(false) }

// Warnings are the findings that are warnings.
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

// Err is nil where there are no errors, else one error with all of them, a
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
