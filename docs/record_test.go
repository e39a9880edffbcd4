package docs_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/record"
)

// jsonKeys returns the keys under which encoding/json writes a struct, those of
// structs within it included.
func jsonKeys(t reflect.Type) (keys []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
			continue
		case name == "" && f.Anonymous:
			keys = append(keys, jsonKeys(f.Type)...)
			continue
		case name == "":
			name = f.Name
		}
		keys = append(keys, name)
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct && !inner.Implements(reflect.TypeFor[json.Marshaler]()) {
			keys = append(keys, jsonKeys(inner)...)
		}
	}
	return keys
}

// The reference of the record has each field, and no other.
func TestRecordIsDocumented(t *testing.T) {
	keys := jsonKeys(reflect.TypeFor[record.Record]())
	if len(keys) < 25 {
		t.Fatalf("only %d fields: %q", len(keys), keys)
	}
	text := read(t, "reference/record.md")
	for _, key := range keys {
		if !strings.Contains(text, "`"+key+"`") {
			t.Errorf("reference/record.md does not say what %s is", key)
		}
	}
	field := regexp.MustCompile("`(\\w+)`")
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|").FindAllStringSubmatch(text, -1) {
		for _, m := range field.FindAllStringSubmatch(row[1], -1) {
			if !slices.Contains(keys, m[1]) {
				t.Errorf("reference/record.md describes %s, which records do not have", m[1])
			}
		}
	}
}
