package policy

import (
	"slices"
	"sync"
	"syscall"

	"github.com/batten-runtime/batten/policy/document"
)

// Store keeps policies between decisions. It reads a policy again if the file or one of its
// profiles has changed, so that a change applies to the next container. Several goroutines
// may use it.
type Store struct {
	mu     sync.Mutex
	loaded map[string]entry // guarded by mu
}

type entry struct {
	policy *Policy
	stamps []stamp
}

// Get returns the policy at path as Load does, without warnings about rules that are never
// reached. It waits at most [Patience]. It does not keep policies with errors: the next call
// reads them again.
func (s *Store) Get(path string) (*Policy, document.Findings) {
	type outcome struct {
		policy   *Policy
		findings document.Findings
	}
	got, err := within(func() outcome {
		p, findings := s.get(path)
		return outcome{p, findings}
	})
	if err != nil {
		return nil, document.Findings{{What: "policy", File: path, Message: err.Error()}}
	}
	return got.policy, got.findings
}

func (s *Store) get(path string) (*Policy, document.Findings) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.loaded[path]; ok && !slices.ContainsFunc(e.stamps, stamp.changed) {
		return e.policy, nil
	}
	p, stamps, findings := Loader{Quick: true}.load(path)
	delete(s.loaded, path)
	if findings.Err() != nil {
		return nil, findings
	}
	if s.loaded == nil {
		s.loaded = make(map[string]entry)
	}
	s.loaded[path] = entry{p, stamps}
	return p, findings
}

// stamp identifies one state of a file. A missing file has a stamp, too.
type stamp struct {
	path         string
	dev, ino     uint64
	size         int64
	mtime, ctime syscall.Timespec
}

func stampOf(path string) stamp {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return stamp{path: path}
	}
	return stamp{path, uint64(st.Dev), st.Ino, st.Size, st.Mtim, st.Ctim}
}

func (s stamp) changed() bool { return s != stampOf(s.path) }
