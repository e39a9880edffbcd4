package policy_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/batten-runtime/batten/policy"
)

// dir is a directory that only root may change, down from /.
func dir(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("REQUIRE_INTEGRATION") == "1" {
			t.Fatal("needs root: policies are root's")
		}
		t.Skip("needs root: policies are root's")
	}
	return t.TempDir()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const good = "version: 1\nabsent: a\nprofiles: {a: {file: profiles/a.json}}\n"

const goodProfile = `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["keyctl"], "action": "SCMP_ACT_ERRNO"}]}`

func TestLoadTrusts(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, dir string) error
		want  string // DIR stands for the directory; empty: no error
	}{
		{"as it is", func(*testing.T, string) error { return nil }, ""},
		{"linked from elsewhere", func(t *testing.T, d string) error {
			return swap(d+"/policy.yaml", d+"/real.yaml")
		}, ""},
		{"mode 0666", func(_ *testing.T, d string) error { return os.Chmod(d+"/policy.yaml", 0o666) }, `policy "DIR/policy.yaml": has mode 0666; others than root can change it: chmod go-w it`},
		{"writable by the group", func(_ *testing.T, d string) error { return os.Chmod(d+"/policy.yaml", 0o660) }, `policy "DIR/policy.yaml": has mode 0660; others than root can change it: chmod go-w it`},
		{"another's", func(_ *testing.T, d string) error { return os.Chown(d+"/policy.yaml", 1000, 0) }, `policy "DIR/policy.yaml": is owned by user 1000; it decides what containers may do: chown root it`},
		{"its directory", func(_ *testing.T, d string) error { return os.Chmod(d, 0o777) }, `policy "DIR/policy.yaml": directory "DIR": has mode 0777; others than root can change it: chmod go-w it`},
		{"its directory, sticky", func(_ *testing.T, d string) error { return os.Chmod(d, 0o777|os.ModeSticky) }, `policy "DIR/policy.yaml": directory "DIR": has mode 0777; others than root can change it: chmod go-w it`},
		{"a profile", func(_ *testing.T, d string) error { return os.Chmod(d+"/profiles/a.json", 0o622) }, `policy "DIR/policy.yaml":3:22: profiles.a.file: profile "DIR/profiles/a.json": has mode 0622; others than root can change it: chmod go-w it`},
		{"a profile's directory", func(_ *testing.T, d string) error { return os.Chown(d+"/profiles", 7, 0) }, `policy "DIR/policy.yaml":3:22: profiles.a.file: profile "DIR/profiles/a.json": directory "DIR/profiles": is owned by user 7; it decides what containers may do: chown root it`},
		{"the target of a link", func(t *testing.T, d string) error {
			if err := swap(d+"/policy.yaml", d+"/real.yaml"); err != nil {
				return err
			}
			return os.Chmod(d+"/real.yaml", 0o666)
		}, `policy "DIR/policy.yaml": has mode 0666; others than root can change it: chmod go-w it`},
		{"missing", func(_ *testing.T, d string) error { return os.Remove(d + "/policy.yaml") }, `policy "DIR/policy.yaml": no such file or directory`},
		{"a link to nothing", func(_ *testing.T, d string) error {
			if err := os.Remove(d + "/policy.yaml"); err != nil {
				return err
			}
			return os.Symlink(d+"/nowhere", d+"/policy.yaml")
		}, `policy "DIR/policy.yaml": is a symbolic link to nothing`},
		{"missing from a directory of others", func(_ *testing.T, d string) error {
			if err := os.Remove(d + "/policy.yaml"); err != nil {
				return err
			}
			return os.Chmod(d, 0o777)
		}, `policy "DIR/policy.yaml": directory "DIR": has mode 0777; others than root can change it: chmod go-w it`},
		{"in a directory that its group may change, further up", func(t *testing.T, d string) error {
			if err := os.Mkdir(d+"/open", 0o755); err != nil {
				return err
			}
			if err := os.Mkdir(d+"/open/closed", 0o755); err != nil {
				return err
			}
			write(t, d+"/open/closed/real.yaml", good)
			return errors.Join(os.Remove(d+"/policy.yaml"), os.Symlink(d+"/open/closed/real.yaml", d+"/policy.yaml"), os.Chmod(d+"/open", 0o775))
		}, `policy "DIR/policy.yaml": directory "DIR/open": has mode 0775; others than root can change it: chmod go-w it`},
		{"as large as it may be", func(t *testing.T, d string) error {
			write(t, d+"/policy.yaml", good+"#"+strings.Repeat("x", policy.MaxSize-len(good)-1))
			return nil
		}, ""},
		{"a directory", func(_ *testing.T, d string) error {
			if err := os.Remove(d + "/policy.yaml"); err != nil {
				return err
			}
			return os.Mkdir(d+"/policy.yaml", 0o755)
		}, `policy "DIR/policy.yaml": is not a regular file`},
		{"a FIFO", func(_ *testing.T, d string) error {
			if err := os.Remove(d + "/policy.yaml"); err != nil {
				return err
			}
			return syscall.Mkfifo(d+"/policy.yaml", 0o600)
		}, `policy "DIR/policy.yaml": is not a regular file`},
		{"a profile that is a FIFO", func(_ *testing.T, d string) error {
			if err := os.Remove(d + "/profiles/a.json"); err != nil {
				return err
			}
			return syscall.Mkfifo(d+"/profiles/a.json", 0o600)
		}, `policy "DIR/policy.yaml":3:22: profiles.a.file: profile "DIR/profiles/a.json": is not a regular file`},
		{"too large", func(_ *testing.T, d string) error { return os.Truncate(d+"/policy.yaml", policy.MaxSize+1) }, `policy "DIR/policy.yaml": 4194305 bytes are more than the 4194304 that Batten reads`},
		{"missing profile", func(_ *testing.T, d string) error { return os.Remove(d + "/profiles/a.json") }, `policy "DIR/policy.yaml":3:22: profiles.a.file: profile "DIR/profiles/a.json": no such file or directory`},
		{"broken profile", func(_ *testing.T, d string) error { return os.WriteFile(d+"/profiles/a.json", []byte("{\n}"), 0o644) }, `profile "DIR/profiles/a.json":1:1: defaultAction is missing; runc refuses such a profile`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := dir(t)
			write(t, d+"/policy.yaml", good)
			write(t, d+"/profiles/a.json", goodProfile)
			if err := tt.spoil(t, d); err != nil {
				t.Fatal(err)
			}
			p, findings := policy.Load(d + "/policy.yaml")
			if got := strings.ReplaceAll(findings.Error(), d, "DIR"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if (p == nil) != (tt.want != "") {
				t.Errorf("policy %v", p)
			}
		})
	}
}

// swap moves a file and puts a link to it in its place.
func swap(path, to string) error {
	if err := os.Rename(path, to); err != nil {
		return err
	}
	return os.Symlink(to, path)
}

func TestAnyOwner(t *testing.T) {
	d := dir(t)
	write(t, d+"/policy.yaml", "version: 1\n")
	if err := os.Chmod(d+"/policy.yaml", 0o666); err != nil {
		t.Fatal(err)
	}
	if _, findings := policy.Load(d + "/policy.yaml"); findings.Err() == nil {
		t.Error("Load takes a file that others can write")
	}
	if _, findings := (policy.Loader{AnyOwner: true}).Load(d + "/policy.yaml"); findings.Err() != nil {
		t.Error(findings)
	}
}

func TestStoreReadsChanges(t *testing.T) {
	d := dir(t)
	path := d + "/policy.yaml"
	write(t, path, good)
	write(t, d+"/profiles/a.json", goodProfile)
	var store policy.Store
	get := func() *policy.Policy {
		t.Helper()
		p, findings := store.Get(path)
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := get()
	if again := get(); again != first {
		t.Error("an unchanged policy was read again")
	}
	write(t, d+"/profiles/a.json", goodProfile+"\n")
	second := get()
	if second == first {
		t.Error("a changed profile was not read")
	}
	write(t, path, "version: 1\nabsent: Deny\n")
	if p := get(); p.Absent != policy.Deny {
		t.Errorf("a changed policy was not read: absent is %s", p.Absent)
	}
	write(t, path, "version: 1\nabsent: Dany\n")
	if p, findings := store.Get(path); p != nil || findings.Err() == nil {
		t.Error("a broken policy is answered by the one before")
	}
	write(t, path, good)
	if p := get(); p.Absent != "a" {
		t.Errorf("a repaired policy was not read: absent is %s", p.Absent)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if p, _ := store.Get(path); p != nil {
		t.Error("a removed policy is still answered")
	}
}
