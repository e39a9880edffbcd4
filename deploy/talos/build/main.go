package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"

	"github.com/batten-runtime/batten/deploy/image"
	"github.com/batten-runtime/batten/deploy/talos"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

func main() {
	arch := flag.String("arch", runtime.GOARCH, "the shim's architecture, in Go's words")
	isDefault := flag.Bool("default", false, "make Batten the node's default")
	flag.Parse()
	if flag.NArg() != 5 {
		fmt.Fprintln(os.Stderr, "usage: build [-arch ARCH] [-default] NAME FILE SHIM VERSION POLICY")
		os.Exit(2)
	}
	if err := build(*arch, *isDefault, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

// build writes an image of a name to a file: args are those of the command.
func build(arch string, isDefault bool, args []string) error {
	files, err := talos.Files(args[2], args[3], args[4], isDefault)
	if err != nil {
		return err
	}
	archive, err := image.ArchiveFor(arch, args[0], v1.ImageConfig{}, files)
	if err != nil {
		return err
	}
	return os.WriteFile(args[1], archive, 0o644)
}
