package install

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/batten-runtime/batten/internal/names"
)

// Options are what to install.
type Options struct {
	// Handler is the name that the engine will know Batten by: of the
	// RuntimeClass handler, or the runtime. Empty keeps the name of the last
	// installation, or takes the engine's usual one.
	Handler string
	// Wrap is the handler of containerd that is wrapped; empty keeps the one of the
	// last installation, or takes containerd's default.
	Wrap string
	// Default makes it what the engine uses where nobody asks for another. Without it
	// Batten stays the default where an installation made it that; NoDefault takes the
	// default away.
	Default, NoDefault bool
	// AllRuntimes is for Docker: every runtime that a user can name goes through Batten.
	AllRuntimes bool
	// Config is the engine's configuration; empty for where it usually is.
	Config string
	// Distribution is the name of the node's; empty to detect it.
	Distribution string
	// Binary is containerd's program; empty for the distribution's, else the one on PATH.
	Binary string
	// Bin is the directory with Batten's binaries.
	Bin string
	// Runtime is what batten-runc hands over to; NoRuntime says why there is none.
	Runtime   string
	NoRuntime error
	// Dir is where it is remembered what was installed.
	Dir string

	root string // the host's root directory: for tests
}

// handlerName is what Kubernetes takes for a RuntimeClass handler (RFC 1123).
var handlerName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// complete fills the options in for a target, by what was installed there, and checks
// them. usual is the handler's usual name, config the engine's usual configuration.
func (o *Options) complete(target, usual, config string) error {
	last, err := load(o.Dir, target)
	if err != nil {
		return err
	}
	if last != nil {
		o.keep(last, usual)
	}
	if o.Handler == "" {
		o.Handler = usual
	}
	if !handlerName.MatchString(o.Handler) {
		return fmt.Errorf("handler %q is not of lower-case letters, digits and dashes, as Kubernetes has them", o.Handler)
	}
	if o.Config == "" {
		o.Config = config
	}
	o.Config, err = filepath.Abs(o.Config)
	return err
}

// keep takes from the last installation what the options leave open. Installing again
// changes nothing that nobody asks to change, above all not the default.
func (o *Options) keep(last *state, usual string) {
	if o.Handler == "" && last.Handler != formerName(usual) {
		o.Handler = last.Handler
	}
	if o.Wrap == "" {
		o.Wrap = last.Wrap
	}
	if last.Default && !o.NoDefault {
		o.Default = true
	}
	o.AllRuntimes = o.AllRuntimes || last.AllRuntimes
}

// formerName returns the name that earlier versions of Batten gave to a handler that now
// is usually called name; empty if it is the same.
func formerName(name string) string {
	if name == names.Wrapper {
		return shortName
	}
	return ""
}

// shortName is the usual name of the handler, and what the command is called.
const shortName = "batten"

// Binaries is the directory of Batten's binaries: the given one, or where the
// running one is, or else the first of the usual ones that has them.
func Binaries(given string) (string, error) {
	dirs := []string{given}
	if given == "" {
		dirs = []string{"/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin"}
		if self, err := os.Executable(); err == nil {
			dirs = append([]string{filepath.Dir(self)}, dirs...)
		}
	}
	for _, dir := range dirs {
		dir, err := filepath.Abs(dir)
		if err == nil && executable(filepath.Join(dir, names.Shim)) && executable(filepath.Join(dir, names.Wrapper)) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("%s and %s are not both in any of %q", names.Shim, names.Wrapper, dirs)
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// version is what a daemon's --version says: 1.6.20 is 1, 6.
type version struct{ major, minor int }

func (v version) less(major, minor int) bool {
	return v.major < major || v.major == major && v.minor < minor
}

var versionNumber = regexp.MustCompile(`\bv?([0-9]+)\.([0-9]+)[0-9.]*`)

// versionOf asks a daemon's binary.
func versionOf(daemon string) (version, error) {
	path, err := exec.LookPath(daemon)
	if err != nil {
		return version{}, err
	}
	out, err := exec.Command(path, "--version").Output()
	if err != nil {
		return version{}, fmt.Errorf("%s --version: %w", path, err)
	}
	v, err := parseVersion(string(out))
	if err != nil {
		return v, fmt.Errorf("%s --version: %w", path, err)
	}
	return v, nil
}

func parseVersion(text string) (version, error) {
	m := versionNumber.FindStringSubmatch(text)
	if m == nil {
		return version{}, fmt.Errorf("no version in %q", text)
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	return version{major, minor}, nil
}
