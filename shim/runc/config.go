package runc

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/policy"
	"github.com/pelletier/go-toml/v2"
)

// DefaultConfig is where batten-runc's own settings are.
const DefaultConfig = names.Config + "/runc.toml"

// CRIOConfig is where they are for containers of CRI-O.
const CRIOConfig = names.Config + "/runc-crio.toml"

// maxConfig is the largest settings file that is read, in bytes.
const maxConfig = 1 << 20

// Config are batten-runc's settings.
type Config struct {
	// Runtime is the real runtime, an absolute path; by default the first of
	// runc and crun in the system's directories, and for CRI-O of crun and runc in
	// /usr/libexec/crio and these.
	Runtime string `toml:"Runtime"`
	// Policy is the node policy's file; empty means policy.DefaultPath.
	Policy string `toml:"Policy"`
	// ContainerdRoots are further directories below which the runtime's --root ends with
	// a containerd namespace. They are needed if the daemon's or the handler's Root is
	// not the default of containerd or Docker.
	ContainerdRoots []string `toml:"ContainerdRoots"`
}

// systemDirs are the directories in which to look for the real runtime. PATH does not count:
// the caller chooses it.
var systemDirs = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

// LoadConfig reads the settings, if there are any, and finds the real runtime.
func LoadConfig() (Config, error) { return others.config() }

// LoadCRIOConfig does so for containers of CRI-O.
func LoadCRIOConfig() (Config, error) { return crio.config() }

// config reads the settings. The file must be one that only root can change.
func (by caller) config() (c Config, err error) {
	path := by.settings
	data, err := policy.ReadFile(path, maxConfig)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return c, fmt.Errorf("settings %q: %w", path, err)
	default:
		if err := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(&c); err != nil {
			return c, fmt.Errorf("settings %q: %w; it may hold Runtime, Policy and ContainerdRoots", path, err)
		}
	}
	for _, p := range append([]string{c.Runtime, c.Policy}, c.ContainerdRoots...) {
		if p != "" && !filepath.IsAbs(p) {
			return c, fmt.Errorf("settings %q: %q is not an absolute path", path, p)
		}
	}
	if c.Runtime == "" {
		if c.Runtime, err = by.findRuntime(); err != nil {
			return c, err
		}
	}
	if c.Runtime, err = filepath.EvalSymlinks(c.Runtime); err != nil {
		return c, fmt.Errorf("the real runtime: %w", err)
	}
	return c, by.notOurselves(c.Runtime)
}

func (by caller) findRuntime() (string, error) {
	for _, name := range by.runtimes {
		for _, dir := range by.dirs {
			path := filepath.Join(dir, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("no %s in %s: name the real runtime in %s, as Runtime = \"/path/of/it\"", strings.Join(by.runtimes, " or "), strings.Join(by.dirs, ", "), by.settings)
}

// notOurselves returns an error if the runtime is batten-runc itself.
func (by caller) notOurselves(runtime string) error {
	self, err := os.Stat("/proc/self/exe")
	if err != nil {
		return err
	}
	if info, err := os.Stat(runtime); err == nil && os.SameFile(self, info) {
		return fmt.Errorf("the real runtime %q is batten-runc itself: name another in %s, as Runtime = \"/path/of/it\"", runtime, by.settings)
	}
	return nil
}

// containerdRoots are where containerd's shims and Docker's keep the runtime's
// state, by containerd namespace.
var containerdRoots = []string{"/run/containerd/runc", "/run/docker/runtime-*"}

// containerdNamespace returns the last element of --root if that lies below a state
// directory of containerd's, as ROOT/NAMESPACE; else it returns an empty string.
func (c Config) containerdNamespace(root string) string {
	if root == "" {
		return ""
	}
	dir, name := filepath.Split(canonical(root))
	dir = filepath.Clean(dir)
	for _, pattern := range slices.Concat(containerdRoots, c.ContainerdRoots) {
		if ok, _ := filepath.Match(pattern, dir); ok || dir == canonical(pattern) {
			return name
		}
	}
	return ""
}

// canonical returns path without symlinks, as far as it exists: /var/run is /run.
func canonical(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	rest := ""
	for dir := path; ; dir = filepath.Dir(dir) {
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			return filepath.Join(real, rest)
		}
		if dir == filepath.Dir(dir) {
			return path
		}
		rest = filepath.Join(filepath.Base(dir), rest)
	}
}
