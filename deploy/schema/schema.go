package schema

import (
	"embed"
	"fmt"
)

//go:embed *.json
var files embed.FS

// Names are the schemas in the order in which batten schema lists them.
var Names = []string{"policy", "drop-in", "profile", "record", "recording", "log", "lint"}

// Text returns the schema of that name.
func Text(name string) ([]byte, error) {
	data, err := files.ReadFile(name + ".json")
	if err != nil {
		return nil, fmt.Errorf("unknown schema %q", name)
	}
	return data, nil
}
