package enforce_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy/syscalls"
	"github.com/batten-runtime/batten/shim/enforce"
)

// writing is a listener that writes its last counts when it is closed.
type writing struct {
	path   string
	closed *int
}

func (w writing) Close() error {
	*w.closed++
	if err := os.MkdirAll(filepath.Dir(w.path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(w.path, nil, 0o600)
}

// TestListenerOfARefusedContainer: where the record or the spec cannot be written, the listener
// is closed, and nothing is left of it.
func TestListenerOfARefusedContainer(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil  func(t *testing.T, dir, bundle string)
		closed int
		left   []string
	}{
		"control": {spoil: func(*testing.T, string, string) {}, left: []string{"default/c1.json"}},
		"the record cannot be written": {closed: 1, spoil: func(t *testing.T, dir, _ string) {
			if err := os.MkdirAll(filepath.Join(dir, "default/c1.json"), 0o700); err != nil {
				t.Fatal(err)
			}
		}},
		"the spec cannot be written": {closed: 1, spoil: func(t *testing.T, _, bundle string) {
			if err := os.RemoveAll(bundle); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e, dir := enforcer(t, "version: 1\ndenials: Count\n"), bundle(t, unset)
			e.Runtime = func(string) syscalls.Runtime {
				runtime := syscalls.RuntimeOfVersion("/usr/sbin/runc", "2.5.4")
				runtime.Release = "runc 1.5.2"
				return runtime
			}
			closed := 0
			e.Listen = func(enforce.Listening) (enforce.Listener, error) {
				tt.spoil(t, e.Records.Dir, dir)
				return writing{path: filepath.Join(e.Records.Dir, "default/c1"+record.DenialsEnding), closed: &closed}, nil
			}
			_, err := e.Prepare(container(dir))
			if (err != nil) != (tt.closed > 0) || closed != tt.closed {
				t.Errorf("%v, closed %d times", err, closed)
			}
			left, _ := filepath.Glob(filepath.Join(e.Records.Dir, "default/*"))
			for i := range left {
				left[i], _ = filepath.Rel(e.Records.Dir, left[i])
			}
			if len(left) != len(tt.left) || len(left) > 0 && left[0] != tt.left[0] {
				t.Errorf("left %q, want %q", left, tt.left)
			}
		})
	}
}
