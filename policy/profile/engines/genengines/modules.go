package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// release is a release's version, without release candidates.
var release = regexp.MustCompile(`^v(\d+)\.(\d+)\.(\d+)(\+incompatible)?$`)

// versions lists the releases of a module that the module proxy has, the oldest first.
func versions(module string) ([]string, error) {
	out, err := exec.Command("go", "list", "-m", "-versions", module).Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m -versions %s: %w", module, err)
	}
	return slices.DeleteFunc(strings.Fields(string(out))[1:], func(v string) bool { return !release.MatchString(v) }), nil
}

// file reads a file of a version of a module; the first of the names that is there.
func file(module, version string, names ...string) (data []byte, err error) {
	cache, err := os.MkdirTemp("", "genengines-")
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = exec.Command("chmod", "-R", "u+w", cache).Run()
		_ = os.RemoveAll(cache)
	}()
	cmd := exec.Command("go", "mod", "download", "-json", module+"@"+version)
	cmd.Env = append(os.Environ(), "GOMODCACHE="+cache, "GOFLAGS=-mod=mod")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go mod download %s@%s: %w\n%s", module, version, err, out)
	}
	var at struct{ Dir string }
	if err := json.Unmarshal(out, &at); err != nil {
		return nil, err
	}
	for _, name := range names {
		if data, err = os.ReadFile(filepath.Join(at.Dir, name)); err == nil {
			return data, nil
		}
	}
	return nil, err
}

// number is a version as people write it.
func number(version string) string {
	return strings.TrimSuffix(strings.TrimPrefix(version, "v"), "+incompatible")
}

// containerd lists its releases since 1.6.
func containerd() (all []engine, err error) {
	for _, module := range []string{"github.com/containerd/containerd", "github.com/containerd/containerd/v2"} {
		list, err := versions(module)
		if err != nil {
			return nil, err
		}
		for _, v := range list {
			if strings.HasPrefix(v, "v1.") && !strings.HasPrefix(v, "v1.6.") && !strings.HasPrefix(v, "v1.7.") {
				continue
			}
			source, err := file(module, v, "contrib/seccomp/seccomp_default.go")
			if err != nil {
				return nil, err
			}
			answers, err := askSource(source)
			if err != nil {
				return nil, fmt.Errorf("containerd %s: %w", v, err)
			}
			all = append(all, engine{name: "containerd", version: number(v), profile: answers})
		}
	}
	return all, nil
}

// asking is a program that prints DefaultProfile for each bounding set on its standard input.
const asking = `package main

import (
	"encoding/json"
	"os"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var goarch = os.Args[1]

type version struct{ Kernel, Major uint64 }

// kernelversion stands for containerd's package: this kernel is newer than all that it asks for.
var kernelversion kernels

type kernels struct{}

func (kernels) GreaterEqualThan(any) (bool, error) { return true, nil }

func main() {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var bounding []string
		if in.Decode(&bounding) != nil {
			return
		}
		out.Encode(DefaultProfile(&specs.Spec{Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: bounding}}}))
	}
}
`

var (
	kernelImport = regexp.MustCompile(`(?m)^\s*"github.com/containerd/containerd/(v2/)?(contrib/seccomp|pkg)/kernelversion"$`)
	kernelType   = regexp.MustCompile(`kernelversion\.KernelVersion\{`)
	runtimeUse   = regexp.MustCompile(`(?m)^\s*"runtime"$`)
)

// askSource makes a program of containerd's seccomp_default.go, by which it is asked.
func askSource(source []byte) (func(string, []string) (*specs.LinuxSeccomp, error), error) {
	text := string(source)
	for _, old := range []string{"package seccomp", "runtime.GOARCH"} {
		if !strings.Contains(text, old) {
			return nil, fmt.Errorf("its source has no %q", old)
		}
	}
	text = strings.Replace(text, "package seccomp", "package main", 1)
	text = strings.ReplaceAll(text, "runtime.GOARCH", "goarch")
	text = kernelImport.ReplaceAllString(text, "")
	text = kernelType.ReplaceAllString(text, "version{")
	text = runtimeUse.ReplaceAllString(text, "")
	dir, err := os.MkdirTemp("genengines", "asking-") // in this module, for its requirements
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for name, data := range map[string]string{"default.go": text, "main.go": asking} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			return nil, err
		}
	}
	binary := filepath.Join(os.TempDir(), filepath.Base(dir))
	cmd := exec.Command("go", "build", "-o", binary, "./"+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return func(arch string, bounding []string) (*specs.LinuxSeccomp, error) {
		question, err := json.Marshal(bounding)
		if err != nil {
			return nil, err
		}
		cmd := exec.Command(binary, arch)
		cmd.Stdin = bytes.NewReader(question)
		out, err := cmd.Output()
		if err != nil {
			return nil, err
		}
		s := new(specs.LinuxSeccomp)
		return s, json.Unmarshal(out, s)
	}, nil
}
