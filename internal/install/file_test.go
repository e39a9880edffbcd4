package install

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/batten-runtime/batten/internal/testneeds"
)

// A file that is written anew keeps its owner and its mode.
func TestWriteKeepsOwner(t *testing.T) {
	testneeds.Root(t, "chown(2)")
	path := filepath.Join(t.TempDir(), "config.toml")
	write0(t, path, "a")
	if err := os.Chown(path, 1000, 1001); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		t.Fatal(err)
	}
	if err := write(path, []byte("b")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if owner := info.Sys().(*syscall.Stat_t); owner.Uid != 1000 || owner.Gid != 1001 || info.Mode() != 0o660 {
		t.Errorf("it is %d:%d's, mode %v", owner.Uid, owner.Gid, info.Mode())
	}
	if got := text(t, path); got != "b" {
		t.Errorf("it holds %q", got)
	}
}
