package denials_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// counts are some of container id.
func counts(id string) *denials.Counts {
	at := time.Date(2026, 11, 26, 1, 2, 3, 0, time.UTC)
	return &denials.Counts{
		Owner: "o", ID: id, Answer: denials.Denied, Since: at, Updated: at,
		Denials: []denials.Denial{{
			Kind:  denials.Kind{Arch: specs.ArchX86_64, Syscall: "unshare", Args: map[uint]uint64{0: unix.CLONE_NEWUSER}, Action: specs.ActErrno, Errno: 1},
			Count: 1 << 60, First: at, Last: at, Sample: denials.Sample{Comm: "unshare", Args: [6]uint64{unix.CLONE_NEWUSER, 1<<64 - 1}},
		}},
	}
}

func TestStore(t *testing.T) {
	s := denials.Store{Dir: filepath.Join(t.TempDir(), "records")}
	if all, err := s.List(); err != nil || len(all) != 0 {
		t.Fatalf("no directory: %v, %v", all, err)
	}
	for _, id := range []string{"b", "a"} {
		if err := s.Write(counts(id)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Read("o", "a"); err != nil || !reflect.DeepEqual(got, counts("a")) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := s.Read("o", "c"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such container: %v", err)
	}
	if err := os.WriteFile(filepath.Join(s.Dir, "o", "a.json"), nil, 0o600); err != nil { // a record
		t.Fatal(err)
	}
	all, err := s.List()
	if err != nil || !reflect.DeepEqual(all, []*denials.Counts{counts("a"), counts("b")}) {
		t.Errorf("got %+v, %v", all, err)
	}
	for _, id := range []string{"a", "b", "b"} {
		if err := s.Remove("o", id); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir, "o", "*")); len(left) != 1 {
		t.Errorf("left: %q, want the record", left)
	}
	if err := errors.Join(os.Remove(filepath.Join(s.Dir, "o", "a.json")), s.Remove("o", "a")); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(filepath.Join(s.Dir, "o")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the empty directory is left: %v", err)
	}
}

// A file that Batten has not written is an error, and the others are listed.
func TestStoreOthersFiles(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(path string) error
		want  string
	}{
		{name: "no JSON", spoil: func(path string) error { return os.WriteFile(path, []byte("{"), 0o600) }, want: "denials %q: unexpected end of JSON input"},
		{name: "empty", spoil: func(path string) error { return os.WriteFile(path, nil, 0o600) }, want: "denials %q: unexpected end of JSON input"},
		{name: "another's", spoil: func(path string) error { return os.WriteFile(path, []byte(`{"owner":"o","id":"a"}`), 0o600) }, want: `denials %q: the file is of container "a" of "o"`},
		{name: "a directory", spoil: func(path string) error { return os.Mkdir(path, 0o700) }, want: "denials %q: not a regular file"},
		{name: "a FIFO", spoil: func(path string) error { return unix.Mkfifo(path, 0o600) }, want: "denials %q: not a regular file"},
		{name: "a link", spoil: func(path string) error { return os.Symlink("a.denials", path) }, want: "denials %q: a symbolic link, so Batten did not write it"},
		{name: "null", spoil: func(path string) error { return os.WriteFile(path, []byte("null\n"), 0o600) }, want: "denials %q: null, which Batten does not write"},
		{name: "huge", spoil: func(path string) error {
			return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 1<<40))
		}, want: "denials %q: larger than 4194304 bytes, so Batten did not write it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := denials.Store{Dir: t.TempDir()}
			if err := s.Write(counts("a")); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(s.Dir, "o", "x.denials")
			if err := tt.spoil(path); err != nil {
				t.Fatal(err)
			}
			all, err := s.List()
			if got, want := fmt.Sprint(err), fmt.Sprintf(tt.want, path); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if len(all) != 1 || all[0].ID != "a" {
				t.Errorf("listed %+v", all)
			}
		})
	}
}

// Names lead to no other directory.
func TestStoreNames(t *testing.T) {
	s := denials.Store{Dir: t.TempDir()}
	for _, name := range []string{"", ".", "..", "a/b", "a\x00"} {
		want := fmt.Sprintf("%q cannot be a containerd namespace or container id", name)
		c := counts(name)
		_, read := s.Read(name, "a")
		for _, err := range []error{s.Write(c), read, s.Remove("o", name)} {
			if err == nil || err.Error() != want {
				t.Errorf("%q: %v, want %s", name, err, want)
			}
		}
	}
	if err := s.Write(counts(strings.Repeat("a", 76))); err != nil { // containerd's longest
		t.Error(err)
	}
}
