package execs

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/batten-runtime/batten/internal/atomicfile"
	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/filter"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Container is one that runs.
type Container struct {
	ID string
	// Pid is its first process: the runtime's state must be of that.
	Pid int
	// Roots are directories where its runtime may keep the states of containers, beside those
	// where runtimes keep them by default.
	Roots []string
}

// ErrUnknown is the error for a container of which no runtime's state is found.
var ErrUnknown = errors.New("the state that its runtime keeps is not found")

// defaultRoots are where runtimes and engines keep states (runc(8), crun(1), containerd's and
// Docker's shims).
var defaultRoots = []string{
	"/run/containerd/runc/*", "/run/docker/runtime-*/*", "/var/run/docker/runtime-*/*", "/run/runc", "/run/crun",
}

// Close makes what its runtime keeps of the container's profile as strict as the block, so that what
// is started in it from then on has it. It returns the file that it changed, or that needed no change.
func (b *Block) Close(c Container) (path string, err error) {
	for _, root := range append(c.Roots, defaultRoots...) {
		dirs, _ := filepath.Glob(filepath.Join(root, c.ID))
		for _, dir := range dirs {
			if s := stateIn(dir, c.Pid); s != nil {
				return s.path, s.close(b)
			}
		}
	}
	return "", ErrUnknown
}

// state is a file in which a runtime keeps a profile.
type state struct {
	path string
	// under is the object that has the profile, as seccomp.
	under string
	read  func([]byte) (*specs.LinuxSeccomp, error)
	write func(specs.LinuxSeccomp) ([]byte, error)
	// program is a file that has the filter itself; empty for none.
	program string
}

// stateIn returns the state in a directory; nil if that has none of a container whose first process
// is pid.
func stateIn(dir string, pid int) *state {
	if pidIn(filepath.Join(dir, "state.json"), "init_process_pid") == pid {
		return &state{path: filepath.Join(dir, "state.json"), under: "config", read: fromLibcontainer, write: toLibcontainer}
	}
	if pidIn(filepath.Join(dir, "status"), "pid") == pid {
		return &state{path: filepath.Join(dir, "config.json"), under: "linux", read: fromSpec, write: toSpec, program: filepath.Join(dir, "seccomp.bpf")}
	}
	return nil
}

// pidIn returns a number of a file; 0 if it has none.
func pidIn(path, key string) (pid int) {
	var all map[string]json.RawMessage
	if data, err := os.ReadFile(path); err == nil && json.Unmarshal(data, &all) == nil {
		_ = json.Unmarshal(all[key], &pid)
	}
	return pid
}

// close rewrites the file.
func (s *state) close(block *Block) error {
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(s.path)
	if err != nil {
		return err
	}
	var all, under map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(data, &all), json.Unmarshal(all[s.under], &under)); err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	kept, err := s.read(under["seccomp"])
	if err != nil {
		return fmt.Errorf("%s: its profile: %w", s.path, err)
	}
	closed := block.profile
	if kept != nil {
		met, err := block.meet(*kept)
		if err != nil {
			return fmt.Errorf("%s: its profile and the block: %w", s.path, err)
		}
		if met.Unchanged {
			return nil
		}
		closed = met.Seccomp
	}
	if under["seccomp"], err = s.write(closed); err != nil {
		return fmt.Errorf("%s: %w", s.path, err)
	}
	if err := s.compile(closed, info); err != nil {
		return err
	}
	if all[s.under], err = json.Marshal(under); err != nil {
		return err
	}
	if data, err = json.Marshal(all); err != nil {
		return err
	}
	return atomicfile.Replace(s.path, data, info)
}

// compile writes the filter itself. Crun loads it for an exec if the profile is there, too.
func (s *state) compile(profile specs.LinuxSeccomp, like os.FileInfo) error {
	if s.program == "" {
		return nil
	}
	p, err := filter.Compile(&profile)
	if err != nil {
		return fmt.Errorf("%s: %w", s.program, err)
	}
	return atomicfile.Replace(s.program, bpf.Encode(p.Instructions), like)
}

func fromSpec(data []byte) (s *specs.LinuxSeccomp, err error) {
	if len(data) == 0 {
		return nil, nil
	}
	return s, json.Unmarshal(data, &s)
}

func toSpec(s specs.LinuxSeccomp) ([]byte, error) { return json.Marshal(s) }
