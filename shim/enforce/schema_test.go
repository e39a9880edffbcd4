package enforce_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/deploy/schema"
	"github.com/batten-runtime/batten/deploy/schema/schematest"
	"github.com/batten-runtime/batten/internal/record"
)

// checkSchema validates the file of a record by the schema that is shipped.
func checkSchema(t *testing.T, records record.Store, rec *record.Record) {
	t.Helper()
	if err := records.Write(rec); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(records.Dir, rec.Owner(), rec.ID+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, "record", data); err != nil {
		t.Errorf("the schema refuses %s: %v", data, err)
	}
}

// A line of the log is what its schema says, and no other line is.
func TestLogSchema(t *testing.T) {
	log := filepath.Join(t.TempDir(), "d.jsonl")
	logged(t, enforcer(t, "version: 1\nlog: "+log), "c1")
	line, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate(t, "log", line); err != nil {
		t.Errorf("the schema refuses %s: %v", line, err)
	}
	for name, change := range map[string][2]string{
		"an unknown key":  {`{"time"`, `{"unknown":1,"time"`},
		"a wrong type":    {`"pid":0`, `"pid":"0"`},
		"an unknown word": {`"mode":"Enforce"`, `"mode":"Enforced"`},
		"a missing key":   {`"id"`, `"bundle"`},
		"no time":         {`{"time":"`, `{"time":"at`},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(string(line), change[0], change[1], 1)
			if changed == string(line) || validate(t, "log", []byte(changed)) == nil {
				t.Errorf("the schema accepts %s", changed)
			}
		})
	}
}

// validate returns what a schema that is shipped has against a text.
func validate(t *testing.T, name string, data []byte) error {
	t.Helper()
	text, err := schema.Text(name)
	if err != nil {
		t.Fatal(err)
	}
	return schematest.Validate(schematest.Compile(t, name, text), data)
}
