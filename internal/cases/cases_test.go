package cases_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/batten-runtime/batten/internal/cases"
)

func ExampleAll() {
	all, err := cases.All()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range all {
		if c.Name == "null-gets-the-default" {
			fmt.Print(c.Want())
		}
	}
	// Output:
	// rule:      -
	// decision:  run it under RuntimeDefault, because it asks for no seccomp filter, and the policy's top level says absent: RuntimeDefault
	// profile:   SCMP_ACT_ERRNO, 17 rules (--profile prints it)
}

// Write puts every file that a policy names where the policy looks for it.
func TestWrite(t *testing.T) {
	all, err := cases.All()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 80 {
		t.Errorf("only %d cases", len(all))
	}
	for _, c := range all {
		path, err := c.Write(t.TempDir())
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o022 != 0 {
			t.Errorf("%s: the policy is not there, or others may write it: %v", c.Name, err)
		}
		if c.Want() == "" {
			t.Errorf("%s: no answer", c.Name)
		}
	}
}
