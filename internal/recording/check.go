package recording

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/syscalls"
)

// isName matches the names of system calls.
var isName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,63}$`)

// misread says in words, and where, why data is not of this form.
func misread(data []byte, err error) string {
	problem, offset := document.NotJSON(data)
	if wrong := new(json.UnmarshalTypeError); problem == "" && errors.As(err, &wrong) {
		// The offset is the value's end.
		problem, offset = fmt.Sprintf("%s cannot be: %s", cmp.Or(wrong.Field, "a recording"), wrong.Value), int(wrong.Offset)-1
	} else if problem == "" {
		problem = err.Error() // such as a time that is none
	}
	line, _ := document.Place(data, offset)
	return fmt.Sprintf("line %d: %s", line, problem)
}

// check returns an error for what no recorder writes.
func (r *Recording) check() error {
	for i := range r.Containers {
		for j, c := range r.Containers[i].Calls {
			at := fmt.Sprintf("containers[%d].calls[%d]", i, j)
			if _, known := syscalls.SetOf[c.Arch]; !known {
				return fmt.Errorf("%s: arch %q is none whose calls Batten knows", at, c.Arch)
			}
			if c.Name != "" && !isName.MatchString(c.Name) {
				return fmt.Errorf("%s: name %q cannot be that of a call", at, c.Name)
			}
			if nr, known := syscalls.Number(c.Arch, c.Name); known && nr != c.Nr {
				return fmt.Errorf("%s: %s has the number %d on %s, not %d", at, c.Name, nr, c.Arch, c.Nr)
			}
			for k, a := range c.Arguments {
				if a.Index > 5 {
					return fmt.Errorf("%s.arguments[%d]: argument %d does not exist; a call has arguments 0 to 5", at, k, a.Index)
				}
			}
		}
	}
	return nil
}

// clean takes out of the words of others what would end a line or move a cursor.
func (r *Recording) clean() {
	for i := range r.Containers {
		c := &r.Containers[i]
		for j := range c.Calls {
			call := &c.Calls[j]
			call.Program = Printable(call.Program)
			for k := range call.Arguments {
				call.Arguments[k].Program = Printable(call.Arguments[k].Program)
			}
		}
		for j := range c.Denied {
			c.Denied[j].Name, c.Denied[j].Program = Printable(c.Denied[j].Name), Printable(c.Denied[j].Program)
		}
	}
}

// Printable returns what a process calls itself without what would end a line, move a cursor, or
// turn the direction in which it is read.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
