package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/batten-runtime/batten/deploy/image"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: build NAME FILE BINARY...")
		os.Exit(2)
	}
	if err := build(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func build(name, out string, binaries []string) error {
	files := []image.File{{Name: "tmp"}, {Name: "policy"}, {Name: "host"}}
	for _, b := range binaries {
		files = append(files, image.File{Name: path.Join("usr/local/bin", filepath.Base(b)), Source: b})
	}
	archive, err := image.Archive(name, v1.ImageConfig{Entrypoint: []string{"/usr/local/bin/batten"}, Cmd: []string{"daemonset"}}, files)
	if err != nil {
		return err
	}
	return os.WriteFile(out, archive, 0o644)
}
