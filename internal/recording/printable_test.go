package recording_test

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/recording"
)

// What a process calls itself ends no line and moves no cursor, whoever wrote the file.
func TestPrintable(t *testing.T) {
	if got := recording.Printable("a\nb\x1b[1m\xff\u009b"); got != "a?b?[1m??" {
		t.Errorf("got %q", got)
	}
	// Nor does it change the direction in which the line is read.
	if got := recording.Printable("ä (x)\u202egpj\u2028b\u00ad"); got != "ä (x)?gpj?b?" {
		t.Errorf("got %q", got)
	}
	r, err := recording.Read("r", []byte(`{"battenRecording": 1, "machine": "x86_64", "containers": [{"calls": [
		{"arch": "SCMP_ARCH_X86_64", "nr": 321, "name": "bpf", "program": "a\u001b[2J\nproved: all"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	made, err := recording.Profile([]*recording.Recording{r}, recording.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if by := made.By["bpf"].String(); strings.ContainsAny(by, "\n\x1b") {
		t.Errorf("got %q", by)
	}
}
