package enforce

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/record"
)

func TestAppendLine(t *testing.T) {
	if err := appendLine("/dev/full", &record.Record{ID: "web"}); err == nil {
		t.Error("no error on a full device")
	}
	path := filepath.Join(t.TempDir(), "log")
	for range 2 {
		if err := appendLine(path, &record.Record{ID: "web"}); err != nil {
			t.Fatal(err)
		}
	}
	if data, _ := os.ReadFile(path); strings.Count(string(data), "\n") != 2 {
		t.Errorf("got %s", data)
	}
}
