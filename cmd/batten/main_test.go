package main

import (
	"flag"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the scripts' expected output")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"batten": main})
}

// Each script reads as its subcommand's manual.
func TestScripts(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("REQUIRE_INTEGRATION") == "1" {
			t.Fatal("needs root: policies are root's")
		}
		t.Skip("needs root: policies are root's")
	}
	testscript.Run(t, testscript.Params{Dir: "testdata", UpdateScripts: *update})
}
