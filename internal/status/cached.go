package status

import (
	"sync"

	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
)

// Machines returns this machine, which bare looks at, with the runtime at a path. Each is
// looked at once.
func Machines(bare func() policy.Machine) func(runtime string) policy.Machine {
	bare = sync.OnceValue(bare)
	var mu sync.Mutex
	known := make(map[string]policy.Machine)
	return func(runtime string) policy.Machine {
		mu.Lock()
		defer mu.Unlock()
		m, ok := known[runtime]
		if !ok {
			if m = bare(); runtime != "" {
				m.Runtime, m.Calls = kernel.Runtime("", runtime), kernel.Calls("")
			}
			known[runtime] = m
		}
		return m
	}
}

// Load reads the policy at a path.
type Load func(path string) (*policy.Policy, document.Findings)

// Policies returns the policy at a path, each as it was when it was first asked for.
// The usual path, and none, stand for the node's.
func (load Load) Policies(node string) func(string) (*policy.Policy, error) {
	type loaded struct {
		policy *policy.Policy
		err    error
	}
	var mu sync.Mutex
	known := make(map[string]loaded)
	return func(path string) (*policy.Policy, error) {
		if path == "" || path == policy.DefaultPath {
			path = node
		}
		mu.Lock()
		defer mu.Unlock()
		l, ok := known[path]
		if !ok {
			p, findings := load(path)
			if l = (loaded{p, findings.Err()}); l.err != nil {
				l.policy = nil
			}
			known[path] = l
		}
		return l.policy, l.err
	}
}
