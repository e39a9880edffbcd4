package block_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/batten-runtime/batten/internal/block"
)

// A drop-in is written once, never over another, and removed only if batten block wrote it.
func TestStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "policy.d")
	if list, err := block.List(dir); len(list) != 0 || err != nil {
		t.Errorf("without the directory: %v, %v", list, err)
	}
	b, err := block.New("", parse(t, "bpf"), 0)
	if err != nil {
		t.Fatal(err)
	}
	text, err := b.Text()
	if err != nil {
		t.Fatal(err)
	}
	path := block.Path(dir, b.Name)
	for range 2 {
		if err := block.Write(path, text); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
	if err := block.Write(path, append(text, '#')); !errors.Is(err, block.ErrOther) {
		t.Errorf("over another: %v", err)
	}
	foreign := block.Path(dir, "foreign")
	if err := os.WriteFile(foreign, []byte("version: 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := block.Remove(foreign); !errors.Is(err, block.ErrForeign) {
		t.Errorf("another's: %v", err)
	}
	list, err := block.List(dir)
	if err != nil || len(list) != 1 || list[0].Name != "block-bpf" || list[0].Asked != "'bpf'" {
		t.Errorf("%+v, %v", list, err)
	}
	link := block.Path(dir, "linked")
	for from, to := range map[string]string{link: path, block.Path(dir, ".hidden"): path, block.Path(dir, "nowhere"): dir + "/none"} {
		if err := os.Symlink(to, from); err != nil {
			t.Fatal(err)
		}
	}
	if list, err = block.List(dir); err != nil || len(list) != 2 || list[1].Name != "linked" {
		t.Errorf("what is read is listed, links too: %+v, %v", list, err)
	}
	if err := errors.Join(block.Remove(link), block.Remove(path)); err != nil {
		t.Error(err)
	}
	if list, _ := block.List(dir); len(list) != 0 {
		t.Errorf("after its removal: %v", list)
	}
}
