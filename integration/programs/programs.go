package programs

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Program is one of Debian's, and what it is to do: a shell script, run in a root file system
// that cannot be written to, except for /tmp.
type Program struct {
	Name   string
	Script string
	// Wrote is a part of what it writes without a filter, if it has done its work.
	Wrote string
	// Capabilities are added to those of a container.
	Capabilities []string
	// Varies says why two runs of the same do not write the same; the output is not compared.
	Varies string
	// Rounds is how often it is run to see all kinds of calls that it makes, where not each
	// run makes all; 0 is once. Varied says why.
	Rounds int
	Varied string
	// Untraceable says why it cannot do its work while strace looks on.
	Untraceable string
	// Setuid says that it gains rights without no_new_privs, and then does something else than it
	// was recorded to do.
	Setuid bool
}

// Args are the command that runs the program, behind another command or none.
func (p Program) Args(front ...string) []string {
	return slices.Concat(front, []string{"/bin/sh", "-c", "exec 2>&1; cd /tmp; " + p.Script})
}

// Set is the programs that are unpacked on this machine.
type Set struct {
	Programs []Program
	root     string
	threads  string // the program of testdata/threads, if it is there
}

// Installed returns the programs of make test, or with PROGRAMS=all all of them.
func Installed(t node.T, dir string) *Set {
	t.Helper()
	s := &Set{Programs: Few, root: filepath.Join(node.Cache(), "programs/root")}
	if os.Getenv("PROGRAMS") == "all" {
		s.Programs, s.root = slices.Concat(Few, Many), filepath.Join(node.Cache(), "programs-all/root")
		s.threads = filepath.Join(dir, "threads")
		build := exec.Command("go", "build", "-o", s.threads, "./integration/programs/testdata/threads")
		build.Dir, build.Env = node.Root(), append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if !node.Exists(s.root) {
		node.Missing(t, s.root+" is not there: run integration/engines/build.sh")
	}
	return s
}

// Path returns where a file of the programs' root file system is on this machine.
func (s *Set) Path(file string) string { return filepath.Join(s.root, file) }

// Spec are what a program's container needs: the programs, places to write to, and its rights.
func (s *Set) Spec(p Program, mounts ...specs.Mount) []oci.SpecOpts {
	return []oci.SpecOpts{
		oci.WithMounts(append(s.mounts(), mounts...)), oci.WithAddedCapabilities(p.Capabilities), oci.WithHostname("box"),
		oci.WithEnv([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LC_ALL=C.UTF-8", "TZ=UTC"}),
	}
}

func (s *Set) mounts() (out []specs.Mount) {
	for _, dir := range []string{"bin", "etc", "lib", "lib32", "lib64", "opt", "sbin", "usr"} {
		if source := s.Path(dir); node.Exists(source) {
			out = append(out, specs.Mount{Source: source, Destination: "/" + dir, Type: "bind", Options: []string{"rbind", "ro"}})
		}
	}
	if s.threads != "" {
		out = append(out, specs.Mount{Source: s.threads, Destination: "/threads", Type: "bind", Options: []string{"rbind", "ro"}})
	}
	for _, dir := range []string{"/tmp", "/var"} {
		out = append(out, specs.Mount{Source: "tmpfs", Destination: dir, Type: "tmpfs", Options: []string{"mode=1777"}})
	}
	return out
}
