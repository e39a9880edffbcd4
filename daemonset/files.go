package daemonset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/moby/sys/atomicwriter"
)

// binaries are what goes to the host.
var binaries = []string{"containerd-shim-batten-v2", "batten-runc", "batten"}

// host is where this process sees a path of the host's.
func (a *Agent) host(path string) string { return filepath.Join("/", a.root, path) }

// copyBinaries puts each binary in place, whole: shims that run keep the old one.
func (a *Agent) copyBinaries() error {
	if err := os.MkdirAll(a.host(Bin), 0o755); err != nil {
		return err
	}
	for _, name := range binaries {
		data, err := a.Binaries.ReadFile(name)
		if err != nil {
			return fmt.Errorf("the image: %w", err)
		}
		path := a.host(filepath.Join(Bin, name))
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

// readPolicy reads what the ConfigMap holds, by file name.
func (a *Agent) readPolicy() (map[string][]byte, error) {
	dir, err := a.Policy.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	entries, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, name := range entries {
		if strings.HasPrefix(name, "..") { // the kubelet's own
			continue
		}
		f, err := a.Policy.Open(name)
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(io.LimitReader(f, policy.MaxSize))
		f.Close()
		if err != nil {
			return nil, err
		}
		files[name] = data
	}
	return files, nil
}

// syncPolicy brings the ConfigMap's policy to the host if it passes the check. The
// profiles come first, then the policy that names them.
func (a *Agent) syncPolicy() error {
	files, err := a.readPolicy()
	if err != nil {
		return err
	}
	digest := digestOf(files)
	if digest == a.tried {
		return a.refused
	}
	if err := a.check(files); err != nil {
		a.tried, a.refused = digest, fmt.Errorf("the policy is refused, the last good one holds: %w", err)
		return a.refused
	}
	old, names := a.written(), slices.Sorted(maps.Keys(files))
	if err := a.remember(slices.Concat(old, names)); err != nil {
		return err
	}
	slices.SortStableFunc(names, func(x, y string) int { return rank(x) - rank(y) })
	for _, name := range names {
		if err := atomicwriter.WriteFile(a.host(filepath.Join(policyDir, name)), files[name], 0o644); err != nil {
			return err
		}
	}
	for _, name := range old {
		if _, still := files[name]; !still {
			_ = os.Remove(a.host(filepath.Join(policyDir, name)))
		}
	}
	a.tried, a.refused = digest, nil
	a.say("policy %s is in place", digest[:12])
	return a.remember(names)
}

// rank puts the policy after what it names.
func rank(name string) int {
	if name == "policy.yaml" {
		return 1
	}
	return 0
}

// check is batten check, on a copy beside the place that the files are for, so that
// what is relative means the same.
func (a *Agent) check(files map[string][]byte) error {
	if err := os.MkdirAll(a.host(policyDir), 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(a.host(policyDir), ".draft-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	_, findings := policy.Load(filepath.Join(dir, "policy.yaml"))
	if err := findings.Err(); err != nil {
		return errors.New(strings.ReplaceAll(err.Error(), dir, policyDir))
	}
	return nil
}

func digestOf(files map[string][]byte) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(h, "%q %d\n%s", name, len(files[name]), files[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// list names the files of the policy that are the DaemonSet's.
const list = home + "/policy-files.json"

func (a *Agent) written() (names []string) {
	data, err := os.ReadFile(a.host(list))
	if err == nil {
		_ = json.Unmarshal(data, &names)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name != filepath.Base(name) })
}

func (a *Agent) remember(names []string) error {
	if err := os.MkdirAll(a.host(home), 0o755); err != nil {
		return err
	}
	slices.Sort(names)
	data, err := json.Marshal(slices.Compact(names))
	if err != nil {
		return err
	}
	return atomicwriter.WriteFile(a.host(list), data, 0o644)
}

// removeFiles removes what was put on the host. As long as containers run under
// Batten their shims need the binaries, and who looks after them the policy.
func (a *Agent) removeFiles() error {
	running, err := enforce.Records{Dir: a.host(enforce.DefaultRecords)}.List()
	if err != nil {
		return err
	}
	if len(running) > 0 {
		a.say("%d containers run under Batten still: %s and %s stay", len(running), home, policyDir)
		return nil
	}
	for _, name := range a.written() {
		if err := os.Remove(a.host(filepath.Join(policyDir, name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	_ = os.Remove(a.host(policyDir)) // unless somebody else's files are in it
	a.say("Batten is off the node")
	return os.RemoveAll(a.host(home))
}
