package computed_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/internal/computed"
	"github.com/batten-runtime/batten/policy"
)

var _ policy.Computed = computed.Dir("")

func TestDir(t *testing.T) {
	d := computed.In(t.TempDir())
	if got := d.Get("a"); got != nil {
		t.Errorf("an empty directory has %q", got)
	}
	d.Put("a", []byte("one"))
	d.Put("b", []byte("two"))
	d.Put("a", []byte("three"))
	if a, b := d.Get("a"), d.Get("b"); string(a) != "three" || string(b) != "two" {
		t.Errorf("%q %q", a, b)
	}
}

// What others can have written does not count.
func TestOthers(t *testing.T) {
	d := computed.In(t.TempDir())
	d.Put("a", []byte("one"))
	files, _ := filepath.Glob(filepath.Join(string(d), "*"))
	if len(files) != 1 {
		t.Fatalf("files: %q", files)
	}
	if err := os.Chmod(files[0], 0o622); err != nil {
		t.Fatal(err)
	}
	if got := d.Get("a"); got != nil {
		t.Errorf("%q of a file that others may write", got)
	}
	d.Put("a", []byte("two")) // a new file
	if got := d.Get("a"); string(got) != "two" {
		t.Errorf("%q", got)
	}
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", files[0]); err != nil {
		t.Fatal(err)
	}
	if got := d.Get("a"); got != nil {
		t.Errorf("%q through a symbolic link", got)
	}
}

// Profiles that change with each container do not fill memory.
func TestBounded(t *testing.T) {
	d := computed.In(t.TempDir())
	most := 0
	for i := range 1200 {
		d.Put(fmt.Sprint(i), []byte("x"))
		files, _ := os.ReadDir(string(d))
		most = max(most, len(files))
	}
	if most > 500 {
		t.Errorf("%d files", most)
	}
	if string(d.Get("1199")) != "x" {
		t.Error("the last is gone")
	}
}
