package cases

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/syscalls"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/rogpeppe/go-internal/txtar"
)

// Case is one container, the policy that it meets, and the answer.
type Case struct {
	// Name is the file's name without its ending.
	Name string
	// Container says what is not in config.json.
	Container Container
	// Spec is config.json.
	Spec []byte

	path    string
	archive *txtar.Archive
}

// Container is container.json. Its zero value means the values in comments.
type Container struct {
	Namespace string `json:"namespace"` // k8s.io
	Engine    string `json:"engine"`    // not CRI-O
	Runtime   string `json:"runtime"`   // the shim
	Restore   bool   `json:"restore"`
	Kernel    string `json:"kernel"` // uname's release: none
	// ABIs are what the kernel was found to run; without it none is left out.
	ABIs *profile.ABIs `json:"abis"`
	// OCIRuntime is the runtime's release, such as "runc 1.5.2", with libseccomp 2.5.4; it
	// is unknown without.
	OCIRuntime string `json:"ociRuntime"`
}

// All returns the cases in the order of their names.
func All() ([]Case, error) {
	_, here, _, _ := runtime.Caller(0)
	paths, err := filepath.Glob(filepath.Join(filepath.Dir(here), "testdata", "*.txtar"))
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	out := make([]Case, len(paths))
	for i, path := range paths {
		if out[i], err = read(path); err != nil {
			return nil, fmt.Errorf("case %q: %w", path, err)
		}
	}
	return out, nil
}

func read(path string) (Case, error) {
	c := Case{Name: strings.TrimSuffix(filepath.Base(path), ".txtar"), path: path}
	var err error
	if c.archive, err = txtar.ParseFile(path); err != nil {
		return c, err
	}
	for _, f := range c.archive.Files {
		if !slices.Contains([]string{"config.json", "container.json", "want", profileFile}, f.Name) &&
			filepath.Ext(f.Name) != ".yaml" && !strings.HasPrefix(f.Name, "profiles/") {
			return c, fmt.Errorf("unknown file %q", f.Name)
		}
	}
	if c.Spec, err = c.file("config.json"); err != nil {
		return c, err
	}
	c.Spec = bytes.TrimSuffix(c.Spec, []byte("\n"))
	c.Container = Container{Namespace: names.CRINamespace, Runtime: names.RuntimeType}
	if data, err := c.file("container.json"); err == nil {
		d := json.NewDecoder(bytes.NewReader(data))
		d.DisallowUnknownFields()
		if err := d.Decode(&c.Container); err != nil {
			return c, fmt.Errorf("container.json: %w", err)
		}
	}
	return c, nil
}

const profileFile = "linux.seccomp"

func (c Case) file(name string) ([]byte, error) {
	for _, f := range c.archive.Files {
		if f.Name == name {
			return f.Data, nil
		}
	}
	return nil, fmt.Errorf("no file %q", name)
}

// Write writes the policy and its profiles below dir, with the owner and mode that
// policies must have, and returns the policy's path.
func (c Case) Write(dir string) (string, error) {
	for _, f := range c.archive.Files {
		path := filepath.Join(dir, f.Name)
		if filepath.Ext(path) != ".yaml" && filepath.Base(filepath.Dir(path)) != "profiles" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "policy.yaml"), nil
}

// Draft gives an enforcer policies out of a test's directory: it reads them whoever owns
// the files.
type Draft struct{}

// Get returns the policy at a path.
func (Draft) Get(path string) (*policy.Policy, document.Findings) {
	return policy.Loader{AnyOwner: true, Quick: true}.Load(path)
}

// Call returns the call of batten-runc by which the container is made; nil where containerd's
// namespace is the owner of its record.
func (c Case) Call() *record.Call {
	if c.Container.Namespace != "" {
		return nil
	}
	return &record.Call{Owner: "@run@runc"}
}

// Machine returns the machine of the case.
func (c Case) Machine() policy.Machine {
	m := policy.Machine{KernelRelease: c.Container.Kernel}
	if c.Container.ABIs != nil {
		m.ABIs = *c.Container.ABIs
	}
	if c.Container.OCIRuntime != "" {
		m.Runtime = syscalls.RuntimeOfVersion("/usr/sbin/runc", "2.5.4")
		m.Runtime.Release = c.Container.OCIRuntime
	}
	return m
}

// Socket stands for the path of Batten's listener in linux.seccomp.
const Socket = "SOCKET"

// Listen is an enforcer's Listen for a listener that is notified of nothing.
func Listen(enforce.Listening) (enforce.Listener, error) {
	return os.Open(os.DevNull)
}

// Want returns the answer. In it, POLICY stands for the policy's path.
func (c Case) Want() string {
	data, _ := c.file("want")
	return string(data)
}

// Profile returns the linux.seccomp that must come out, without white space, and
// whether the case names one.
func (c Case) Profile() (string, bool) {
	data, err := c.file(profileFile)
	var out bytes.Buffer
	if err == nil && len(data) > 0 {
		err = json.Compact(&out, data)
	}
	return out.String(), err == nil
}

// Update writes the answer, and the profile where the case has one, into the file.
func (c Case) Update(want, result string) error {
	for i := range c.archive.Files {
		switch f := &c.archive.Files[i]; f.Name {
		case "want":
			f.Data = []byte(want)
		case profileFile:
			f.Data = []byte(result)
		}
	}
	return os.WriteFile(c.path, txtar.Format(c.archive), 0o644)
}

// Field returns the rest of the line of want that begins with a key and a colon;
// empty if there is none.
func (c Case) Field(key string) string {
	for line := range strings.Lines(c.Want()) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// Fields returns the rests of all lines of want that begin with a key and a colon.
func (c Case) Fields(key string) (out []string) {
	for line := range strings.Lines(c.Want()) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			out = append(out, strings.TrimSpace(rest))
		}
	}
	return out
}
