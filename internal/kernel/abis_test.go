package kernel

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
)

func TestABIsAreKept(t *testing.T) {
	dir := t.TempDir()
	if got := keptABIs(dir); got.Probed {
		t.Errorf("without a file: %+v", got)
	}
	keepABIs(dir)
	want := ABIs()
	if got := keptABIs(dir); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	path := filepath.Join(dir, abisFile)
	if err := os.WriteFile(path, []byte(`{"probed":true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	keepABIs(dir) // there is an answer
	if got := keptABIs(dir); got != (profile.ABIs{Probed: true}) {
		t.Errorf("got %+v", got)
	}
	for _, spoil := range []func() error{
		func() error { return os.Chmod(path, 0o666) },
		func() error { return os.WriteFile(path, []byte("nonsense"), 0o600) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if got := keptABIs(dir); got.Probed {
			t.Errorf("believed: %+v", got)
		}
		_ = os.Chmod(path, 0o600)
	}
}

// Two probes agree, and a process with a filter is not probed.
func TestABIs(t *testing.T) {
	abis := ABIs()
	if filtered() || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		if abis.Probed {
			t.Errorf("got %+v where nothing can be known", abis)
		}
		return
	}
	if !abis.Probed {
		t.Fatal("not probed")
	}
	if again := ABIs(); again != abis {
		t.Errorf("a second probe says %+v, the first %+v", again, abis)
	}
}
