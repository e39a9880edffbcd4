package procfs_test

import (
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/procfs"
)

// TestFlag: the last one counts, as for containerd and dockerd.
func TestFlag(t *testing.T) {
	for line, want := range map[string]string{
		"containerd":                            "usual",
		"containerd -c /a":                      "/a",
		"containerd --config /a":                "/a",
		"containerd --config=/a":                "/a",
		"containerd --config /a --config=/b":    "/b",
		"containerd --address /s -c /a -l info": "/a",
		"containerd --config":                   "usual",
		"--config /a":                           "usual", // the program's own name
	} {
		if got := procfs.Flag(strings.Fields(line), "usual", "-c", "--config"); got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}
