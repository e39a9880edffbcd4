package bypass

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/containerd/containerd/v2/pkg/oci"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// attempt is one row's attempt on one side.
type attempt struct {
	*node.Node
	t      *testing.T
	batten bool
	undo   []func()
	// options are the runtime's, which both shims take.
	options any
}

func (a *attempt) runtime() string {
	if a.batten {
		return node.Batten
	}
	return node.Stock
}

// policy sets the node policy, by a rename.
func (a *attempt) policy(text string) {
	a.t.Helper()
	path := filepath.Join(a.Etc, "policy.yaml")
	a.write(path+".new", text)
	a.must(os.Rename(path+".new", path))
}

func (a *attempt) write(path, text string) {
	a.t.Helper()
	a.must(os.WriteFile(path, []byte(text), 0o644))
}

func (a *attempt) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// later has f called when both the attempt and its control are over.
func (a *attempt) later(f func()) { a.undo = append(a.undo, f) }

func (a *attempt) undoAll() {
	for len(a.undo) > 0 {
		last := len(a.undo) - 1
		a.undo[last]()
		a.undo = a.undo[:last]
	}
}

// run runs a container to its end, and says what came of the last call that it
// tried.
func (a *attempt) run(run node.Run) string {
	a.t.Helper()
	run.Runtime = a.runtime()
	if run.Options == nil {
		run.Options = a.options
	}
	if run.Args == nil {
		run.Args = []string{"/probe", "call", "keyctl"}
	}
	c, err := a.Start(run)
	if c == nil {
		return "refused: " + err.Error()
	}
	if err != nil {
		c.Remove()
		return "refused: " + err.Error()
	}
	exit, err := c.WaitExit()
	a.must(err)
	c.Remove()
	if exit == 137 {
		return "killed"
	}
	return last(c.Output())
}

// last is what came of the last call in the probe's output.
func last(output string) string {
	_, came, _ := strings.Cut(output[strings.LastIndexByte(strings.TrimSpace(output), '\n')+1:], ": ")
	return strings.TrimSpace(came)
}

// calls runs a container with a spec of its own that makes one call.
func calls(name string, spec ...oci.SpecOpts) func(*attempt) string {
	return func(a *attempt) string {
		return a.run(node.Run{Args: []string{"/probe", "call", name}, Spec: spec})
	}
}

// edited runs a container whose spec's bytes are changed.
func edited(edit func(spec string) string, spec ...oci.SpecOpts) func(*attempt) string {
	return func(a *attempt) string {
		return a.run(node.Run{Spec: spec, Edit: func(old []byte) []byte {
			out := edit(string(old))
			if out == string(old) {
				a.t.Fatal("the spec is as it was")
			}
			return []byte(out)
		}})
	}
}

// replaced runs a container whose spec has a piece exchanged.
func replaced(old, by string, spec ...oci.SpecOpts) func(*attempt) string {
	return edited(func(s string) string { return strings.Replace(s, old, by, 1) }, spec...)
}

// under has the policy say something else first.
func under(policy string, try func(*attempt) string) func(*attempt) string {
	return func(a *attempt) string {
		a.policy(policy)
		return try(a)
	}
}

// exec starts a container, and says what came of a call in an exec after do.
func (a *attempt) exec(run node.Run, do func(c *node.Created), command ...string) string {
	a.t.Helper()
	run.Runtime = a.runtime()
	c, err := a.Start(run)
	if c == nil || err != nil {
		if c != nil {
			c.Remove()
		}
		return "refused: " + err.Error()
	}
	defer c.Remove()
	a.WaitForExec(c)
	if do != nil {
		do(c)
	}
	if command == nil {
		command = []string{"/probe", "call", "keyctl"}
	}
	out, err := c.Exec(command...)
	switch {
	case err != nil && strings.Contains(err.Error(), "137"):
		return "killed"
	case err != nil:
		return "refused: " + err.Error()
	}
	return last(out)
}

// denyKeyctl is a filter that denies the call of most rows and no more.
func denyKeyctl() *specs.LinuxSeccomp {
	return &specs.LinuxSeccomp{
		DefaultAction: specs.ActAllow, Architectures: []specs.Arch{specs.ArchX86_64, specs.ArchX86},
		Syscalls: []specs.LinuxSyscall{{Names: []string{"keyctl"}, Action: specs.ActErrno}},
	}
}
