package daemonset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/moby/sys/atomicwriter"
)

// binaries are the programs that are copied to the host.
var binaries = []string{names.Shim, names.Wrapper, "batten"}

// host returns the path by which this process reaches a path of the host.
func (a *Agent) host(path string) string { return filepath.Join("/", a.root, path) }

// copyBinaries replaces each binary by a rename: running shims keep the old file.
func (a *Agent) copyBinaries() error {
	if err := os.MkdirAll(a.host(a.Install.Bin), 0o755); err != nil {
		return err
	}
	for _, name := range binaries {
		data, err := a.Binaries.ReadFile(name)
		if err != nil {
			return fmt.Errorf("the image: %w", err)
		}
		path := a.host(filepath.Join(a.Install.Bin, name))
		if old, err := os.ReadFile(path); err == nil && string(old) == string(data) {
			continue
		}
		if err := atomicwriter.WriteFile(path, data, 0o755); err != nil {
			return err
		}
		a.say("%s is written", path)
	}
	return nil
}

// removeFiles removes the files of the DaemonSet from the host. While containers run under
// Batten it keeps them: their shims need the binaries and the policy.
func (a *Agent) removeFiles() error {
	running, err := record.Store{Dir: a.host(names.Records)}.List()
	if err != nil {
		return err
	}
	if len(running) > 0 {
		a.say("%d containers run under Batten still: %s and %s stay", len(running), a.homeDir(), policyDir)
		return nil
	}
	if err := a.removePolicy(); err != nil {
		return err
	}
	a.say("Batten is off the node")
	if a.homeDir() == home {
		return os.RemoveAll(a.host(home))
	}
	for _, name := range append(binaries, dueName) { // others may have files there
		if err := os.Remove(a.host(filepath.Join(a.Install.Bin, name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	_ = os.Remove(a.host(a.Install.Bin)) // if nothing else is in it
	return nil
}
