package install

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// Options are what to install.
type Options struct {
	// Handler is the name that the engine will know Batten by: of the
	// RuntimeClass handler, or the runtime.
	Handler string
	// Wrap is the handler of containerd that is wrapped; empty for its default.
	Wrap string
	// Default makes it what the engine uses where nobody asks for another.
	Default bool
	// Config is the engine's configuration; empty for where it usually is.
	Config string
	// Bin is the directory with Batten's binaries.
	Bin string
	// Runtime is what batten-runc hands over to; NoRuntime says why there is none.
	Runtime   string
	NoRuntime error
	// Dir is where it is remembered what was installed.
	Dir string
}

// handlerName is what Kubernetes takes for a RuntimeClass handler (RFC 1123).
var handlerName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

// complete checks the options, and makes the configuration's path absolute.
func (o *Options) complete(config string) (err error) {
	if !handlerName.MatchString(o.Handler) {
		return fmt.Errorf("handler %q is not of lower-case letters, digits and dashes, as Kubernetes has them", o.Handler)
	}
	if o.Config == "" {
		o.Config = config
	}
	o.Config, err = filepath.Abs(o.Config)
	return err
}

const (
	shimName    = "containerd-shim-batten-v2"
	wrapperName = "batten-runc"
)

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
		if err == nil && executable(filepath.Join(dir, shimName)) && executable(filepath.Join(dir, wrapperName)) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("%s and %s are not both in any of %q", shimName, wrapperName, dirs)
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
	m := versionNumber.FindSubmatch(out)
	if m == nil {
		return version{}, fmt.Errorf("%s --version says %q, in which no version is to be found", path, out)
	}
	major, _ := strconv.Atoi(string(m[1]))
	minor, _ := strconv.Atoi(string(m[2]))
	return version{major, minor}, nil
}
