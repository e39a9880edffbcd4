package schematest_test

import (
	"testing"

	"github.com/batten-runtime/batten/deploy/schema/schematest"
)

func TestValidate(t *testing.T) {
	s := schematest.Compile(t, "a.json", []byte(`{"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false}`))
	for _, tt := range []struct {
		text string
		fits bool
	}{
		{text: "a: 1\n", fits: true},
		{text: `{"a": 1}`, fits: true},
		{text: "a: x\n"},
		{text: "b: 1\n"},
		{text: "a: [\n"},
	} {
		if err := schematest.Validate(s, []byte(tt.text)); (err == nil) != tt.fits {
			t.Errorf("%q: %v", tt.text, err)
		}
	}
}
