package docs_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/denials"
)

// The reference of denials has each field of the file and of the log's lines, and no other.
func TestDenialsAreDocumented(t *testing.T) {
	keys := append(jsonKeys(reflect.TypeFor[denials.Counts]()), jsonKeys(reflect.TypeFor[denials.Line]())...)
	keys = append(keys, jsonKeys(reflect.TypeFor[denials.Denial]())...)
	text := read(t, "reference/denials.md")
	for _, key := range keys {
		if !strings.Contains(text, "`"+key+"`") {
			t.Errorf("reference/denials.md does not say what %s is", key)
		}
	}
	field := regexp.MustCompile("`([\\w.]+)`")
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|").FindAllStringSubmatch(text, -1) {
		for _, m := range field.FindAllStringSubmatch(row[1], -1) {
			if !slices.Contains(keys, m[1]) {
				t.Errorf("reference/denials.md describes %s, which is not there", m[1])
			}
		}
	}
}
