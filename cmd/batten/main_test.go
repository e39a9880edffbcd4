package main

import (
	"flag"
	"testing"

	"github.com/batten-runtime/batten/internal/testneeds"
	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the scripts' expected output")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"batten": main})
}

// Each script reads as its subcommand's manual.
func TestScripts(t *testing.T) {
	testneeds.Root(t, "policies are root's")
	testscript.Run(t, testscript.Params{Dir: "testdata", UpdateScripts: *update})
}
