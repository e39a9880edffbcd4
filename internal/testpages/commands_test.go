package testpages_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/internal/testpages"
)

// TestCommands: what counts as a command.
func TestCommands(t *testing.T) {
	got := testpages.Commands("Text `batten check`.\n\n    batten check     # fine\n    built-in: fine\n    batten status          what it says\n" +
		"\n```console\n# batten records\nID\n```\n```yaml\n    batten: x\n```\n       kubectl create x \\\n         --y | kubectl apply -f -\n" +
		"    cat >f <<'END'\n    [Service]\n    END\n    systemctl restart docker\n# batten\n")
	want := []string{
		"batten check     # fine", "batten status", "batten records", "kubectl create x \\\n--y | kubectl apply -f -",
		"cat >f <<'END'\n[Service]\nEND", "systemctl restart docker",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func ExampleCommands() {
	fmt.Println(testpages.Commands("Look at the node:\n\n    batten status     # exits with 1 if it is not safe\n"))
	// Output: [batten status     # exits with 1 if it is not safe]
}
