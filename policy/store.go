package policy

import (
	"os"
	"slices"
	"sync"
	"syscall"

	"github.com/batten-runtime/batten/policy/document"
)

// Store keeps policies between decisions. It reads a policy again if the file or one of its
// profiles has changed, so that a change applies to the next container. Several goroutines
// may use it.
type Store struct {
	// Loader reads them; a Store leaves out the search for rules that are never reached.
	Loader Loader

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
	l := s.Loader
	l.Quick = true
	p, stamps, findings := l.load(path)
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
	// names are those in a directory, which says by them that it has changed: its times may
	// stand still for some milliseconds.
	names string
	lists bool
}

func stampOf(path string) stamp {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return stamp{path: path}
	}
	return stamp{path: path, dev: uint64(st.Dev), ino: st.Ino, size: st.Size, mtime: st.Mtim, ctime: st.Ctim}
}

// listingOf returns the stamp of a directory with the names in it.
func listingOf(dir string) stamp {
	s := stampOf(dir)
	s.lists = true
	entries, err := os.ReadDir(dir)
	if err != nil {
		s.names = err.Error()
	}
	for _, e := range entries {
		s.names += e.Name() + "/"
	}
	return s
}

func (s stamp) changed() bool {
	if s.lists {
		return s != listingOf(s.path)
	}
	return s != stampOf(s.path)
}
