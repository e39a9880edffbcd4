package docs_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/recording"
)

// The reference of the recording has each field.
func TestRecordingIsDocumented(t *testing.T) {
	text := read(t, "reference/recording.md")
	for _, typ := range []reflect.Type{
		reflect.TypeFor[recording.Recording](), reflect.TypeFor[recording.Container](), reflect.TypeFor[recording.Call](),
		reflect.TypeFor[recording.Argument](), reflect.TypeFor[recording.Denied](),
	} {
		for _, key := range jsonKeys(typ) {
			if !strings.Contains(text, "`"+key+"`") {
				t.Errorf("reference/recording.md does not say what %s of a %s is", key, typ.Name())
			}
		}
	}
}
