package enforce

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
)

func TestABIsAreKept(t *testing.T) {
	dir := t.TempDir()
	if got := readABIs(dir); got.Probed {
		t.Errorf("without a file: %+v", got)
	}
	ProbeABIs(dir)
	want := profile.ProbeABIs()
	if got := readABIs(dir); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	path := filepath.Join(dir, abisFile)
	if err := os.WriteFile(path, []byte(`{"probed":true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	ProbeABIs(dir) // there is an answer
	if got := readABIs(dir); got != (profile.ABIs{Probed: true}) {
		t.Errorf("got %+v", got)
	}
	for _, spoil := range []func() error{
		func() error { return os.Chmod(path, 0o666) },
		func() error { return os.WriteFile(path, []byte("nonsense"), 0o600) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if got := readABIs(dir); got.Probed {
			t.Errorf("believed: %+v", got)
		}
		_ = os.Chmod(path, 0o600)
	}
}
