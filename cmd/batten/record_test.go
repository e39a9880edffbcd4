package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/internal/recording"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A recording that cannot be written, as on a full disk, does not take the profile with it.
func TestFinish(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	now := &recording.Recording{Batten: 1, Machine: "x86_64", Containers: []recording.Container{{Start: true, Calls: []recording.Call{{Arch: specs.ArchX86_64, Name: "read"}}}}}
	for _, tt := range []struct {
		keep string
		ok   bool
	}{{filepath.Join(file, "r.json"), false}, {filepath.Join(dir, "r.json"), true}} {
		cmd := newRecord()
		cmd.SetErr(io.Discard)
		r := &recordCommand{cmd: cmd, keep: tt.keep, to: filepath.Join(dir, "p.json"), floor: noFloor, output: &output{recording.OCI}, runtime: new(ociRuntime)}
		err := r.finish(now, []*recording.Recording{now})
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.keep, err)
		}
		if _, err := os.Stat(r.to); err != nil {
			t.Error(err)
		}
		if err := os.Remove(r.to); err != nil {
			t.Error(err)
		}
	}
}
