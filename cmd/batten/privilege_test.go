package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// Without root these commands would see nothing, and say that all is well or that nothing
// runs. They say what is needed instead.
func TestNeedsRoot(t *testing.T) {
	t.Cleanup(func() { effectiveUser = os.Geteuid })
	for _, tt := range []struct {
		args []string
		want string
	}{
		{args: []string{"records"}, want: "only root can read records, and this is user 1000"},
		{args: []string{"records", "--json"}, want: "only root can read records, and this is user 1000"},
		{args: []string{"status"}, want: "only root sees what containers run under, and this is user 1000"},
		{args: []string{"status", "--older-pods"}, want: "only root sees what containers run under, and this is user 1000"},
		{args: []string{"verify", "web"}, want: "only root sees what containers run under, and this is user 1000"},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			effectiveUser = func() int { return 1000 }
			var stdout, stderr bytes.Buffer
			exit := run(tt.args, nil, &stdout, &stderr)
			if want := "batten: " + tt.want + "\nhint: run it as root, such as by sudo\n"; exit != exitInternal || stderr.String() != want || stdout.Len() > 0 {
				t.Errorf("exit %d, %s%s\nwant 3, %s", exit, stdout.String(), stderr.String(), want)
			}
			effectiveUser = func() int { return 0 }
			stderr.Reset()
			run(tt.args, nil, &stdout, &stderr)
			if strings.Contains(stderr.String(), "root") && strings.Contains(stderr.String(), "this is user") {
				t.Errorf("root: %s", stderr.String())
			}
		})
	}
}
