package daemonset

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy"
	"github.com/moby/sys/atomicwriter"
)

// dropInPrefix begins the names of the ConfigMap's drop-ins on the host. Those of other names are
// the node's own.
const dropInPrefix = "configmap-"

// isDropIn reports whether a key of the ConfigMap is a drop-in.
func isDropIn(key string) bool {
	return key != policyFile && path.Ext(key) == ".yaml" && !strings.HasPrefix(key, ".")
}

// split returns the policy with its profiles, and the drop-ins.
func split(files map[string][]byte) (rest, dropIns map[string][]byte) {
	rest, dropIns = make(map[string][]byte), make(map[string][]byte)
	for name, data := range files {
		if isDropIn(name) {
			dropIns[name] = data
		} else {
			rest[name] = data
		}
	}
	return rest, dropIns
}

// checkDropIn returns an error unless a key is a drop-in that names no file: on the host it stands
// alone.
func checkDropIn(name string, data []byte) error {
	read := func(file string) (string, []byte, error) {
		return file, nil, fmt.Errorf("profile %q: write the profile of a ConfigMap's drop-in inline", file)
	}
	p, findings := policy.ParseDropIn(name, data, read)
	if err := findings.Err(); err != nil {
		return fmt.Errorf("the ConfigMap's key %q is not a drop-in: %w", name, err)
	}
	if err := made(policy.Alone(p)).Err(); err != nil {
		return fmt.Errorf("the ConfigMap's key %q would have containers refused: %w", name, err)
	}
	return nil
}

// dropInsThere returns the ConfigMap's drop-ins on the host, by key.
func (a *Agent) dropInsThere() (map[string][]byte, error) {
	entries, err := os.ReadDir(a.host(policy.DropInDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	there := make(map[string][]byte)
	for _, e := range entries {
		key, ours := strings.CutPrefix(e.Name(), dropInPrefix)
		if !ours {
			continue
		}
		if there[key], err = os.ReadFile(filepath.Join(a.host(policy.DropInDir), e.Name())); err != nil {
			return nil, err
		}
	}
	return there, err
}

// haveDropIns reports whether the host has these drop-ins of the ConfigMap, and no other.
func (a *Agent) haveDropIns(want map[string][]byte) bool {
	there, err := a.dropInsThere()
	return err == nil && len(there) == len(want) && !slices.ContainsFunc(sortedKeys(want), func(key string) bool {
		data, ok := there[key]
		return !ok || !bytes.Equal(data, want[key])
	})
}

// putDropIns puts drop-ins on the host, each whole, and removes those that the ConfigMap no longer
// has. They have been checked.
func (a *Agent) putDropIns(want map[string][]byte) error {
	there, err := a.dropInsThere()
	if err != nil {
		return err
	}
	dir := a.host(policy.DropInDir)
	if len(want) > 0 {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for _, key := range sortedKeys(want) {
		if data, ok := there[key]; ok && bytes.Equal(data, want[key]) {
			continue
		}
		if err := atomicwriter.WriteFile(filepath.Join(dir, dropInPrefix+key), want[key], 0o644); err != nil {
			return fmt.Errorf("the drop-in %s cannot be put in place: %w", key, err)
		}
		a.say("drop-in %s is in place", key)
	}
	for _, key := range sortedKeys(there) {
		if _, ok := want[key]; ok {
			continue
		}
		if err := os.Remove(filepath.Join(dir, dropInPrefix+key)); err != nil {
			return err
		}
		a.say("drop-in %s is removed", key)
	}
	_ = os.Remove(dir) // unless the node's own are in it
	return nil
}
