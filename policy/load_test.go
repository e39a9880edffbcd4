package policy_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/batten-runtime/batten/internal/testneeds"
	"github.com/batten-runtime/batten/policy"
)

// dir is a directory that only root may change, down from /.
func dir(t *testing.T) string {
	t.Helper()
	testneeds.Root(t, "policies are root's")
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

// trustCases are files with owners and modes, and whether the policy is read.
var trustCases = []struct {
	name  string
	spoil func(t *testing.T, dir string) error
	want  string // DIR stands for the directory; empty: no error
}{
	{name: "as it is", spoil: func(*testing.T, string) error { return nil }},
	{name: "linked from elsewhere", spoil: func(t *testing.T, d string) error {
		return swap(d+"/policy.yaml", d+"/real.yaml")
	}, want: ""},
	{name: "linked with its profiles", spoil: func(t *testing.T, d string) error {
		if err := os.Mkdir(d+"/whole", 0o755); err != nil {
			return err
		}
		return errors.Join(os.Rename(d+"/policy.yaml", d+"/whole/policy.yaml"), os.Rename(d+"/profiles", d+"/whole/profiles"),
			os.Symlink("whole/policy.yaml", d+"/policy.yaml"))
	}, want: ""},
	{name: "linked without its profiles", spoil: func(t *testing.T, d string) error {
		if err := os.Mkdir(d+"/whole", 0o755); err != nil {
			return err
		}
		return errors.Join(os.Rename(d+"/policy.yaml", d+"/whole/policy.yaml"), os.Symlink("whole/policy.yaml", d+"/policy.yaml"))
	}, want: `policy "DIR/policy.yaml":3:22: profiles.a.file: profile "DIR/whole/profiles/a.json": no such file or directory`},
	{
		name:  "mode 0666",
		spoil: func(_ *testing.T, d string) error { return os.Chmod(d+"/policy.yaml", 0o666) },
		want:  `policy "DIR/policy.yaml": has mode 0666; others than root can change it: chmod go-w DIR/policy.yaml`,
	},
	{
		name:  "writable by the group",
		spoil: func(_ *testing.T, d string) error { return os.Chmod(d+"/policy.yaml", 0o660) },
		want:  `policy "DIR/policy.yaml": has mode 0660; others than root can change it: chmod go-w DIR/policy.yaml`,
	},
	{name: "a name with a space", spoil: func(t *testing.T, d string) error {
		if err := swap(d+"/policy.yaml", d+"/it's mine.yaml"); err != nil {
			return err
		}
		return os.Chmod(d+"/it's mine.yaml", 0o666)
	}, want: `policy "DIR/policy.yaml": has mode 0666; others than root can change it: chmod go-w 'DIR/it'\''s mine.yaml'`},
	{
		name:  "another's",
		spoil: func(_ *testing.T, d string) error { return os.Chown(d+"/policy.yaml", 1000, 0) },
		want:  `policy "DIR/policy.yaml": is owned by user 1000; it decides what containers may do: chown root DIR/policy.yaml`,
	},
	{
		name:  "its directory",
		spoil: func(_ *testing.T, d string) error { return os.Chmod(d, 0o777) },
		want:  `policy "DIR/policy.yaml": directory "DIR": has mode 0777; others than root can change it: chmod go-w DIR`,
	},
	{
		name:  "its directory, sticky",
		spoil: func(_ *testing.T, d string) error { return os.Chmod(d, 0o777|os.ModeSticky) },
		want:  `policy "DIR/policy.yaml": directory "DIR": has mode 0777; others than root can change it: chmod go-w DIR`,
	},
	{
		name:  "a profile",
		spoil: func(_ *testing.T, d string) error { return os.Chmod(d+"/profiles/a.json", 0o622) },
		want:  `policy "DIR/policy.yaml":3:22: profiles.a.file: profile "DIR/profiles/a.json": has mode 0622; others than root can change it: chmod go-w DIR/profiles/a.json`,
	},
	{
		name:  "a profile's directory",
		spoil: func(_ *testing.T, d string) error { return os.Chown(d+"/profiles", 7, 0) },
		want:  `policy "DIR/policy.yaml":3:22: profiles.a.file: profile "DIR/profiles/a.json": directory "DIR/profiles": is owned by user 7; it decides what containers may do: chown root DIR/profiles`,
	},
	{name: "the target of a link", spoil: func(t *testing.T, d string) error {
		if err := swap(d+"/policy.yaml", d+"/real.yaml"); err != nil {
			return err
		}
		return os.Chmod(d+"/real.yaml", 0o666)
	}, want: `policy "DIR/policy.yaml": has mode 0666; others than root can change it: chmod go-w DIR/real.yaml`},
	{
		name:  "missing",
		spoil: func(_ *testing.T, d string) error { return os.Remove(d + "/policy.yaml") },
		want:  `policy "DIR/policy.yaml": no such file or directory`,
	},
	{name: "a link to nothing", spoil: func(_ *testing.T, d string) error {
		if err := os.Remove(d + "/policy.yaml"); err != nil {
			return err
		}
		return os.Symlink(d+"/nowhere", d+"/policy.yaml")
	}, want: `policy "DIR/policy.yaml": is a symbolic link to nothing`},
	{name: "missing from a directory of others", spoil: func(_ *testing.T, d string) error {
		if err := os.Remove(d + "/policy.yaml"); err != nil {
			return err
		}
		return os.Chmod(d, 0o777)
	}, want: `policy "DIR/policy.yaml": does not exist, and others can put one there: directory "DIR": has mode 0777; others than root can change it: chmod go-w DIR`},
	{name: "in a directory that its group may change, further up", spoil: func(t *testing.T, d string) error {
		if err := os.Mkdir(d+"/open", 0o755); err != nil {
			return err
		}
		if err := os.Mkdir(d+"/open/closed", 0o755); err != nil {
			return err
		}
		write(t, d+"/open/closed/real.yaml", good)
		return errors.Join(os.Remove(d+"/policy.yaml"), os.Symlink(d+"/open/closed/real.yaml", d+"/policy.yaml"), os.Chmod(d+"/open", 0o775))
	}, want: `policy "DIR/policy.yaml": directory "DIR/open": has mode 0775; others than root can change it: chmod go-w DIR/open`},
	{name: "as large as it may be", spoil: func(t *testing.T, d string) error {
		write(t, d+"/policy.yaml", good+"#"+strings.Repeat("x", policy.MaxSize-len(good)-1))
		return nil
	}, want: ""},
	{name: "a directory", spoil: func(_ *testing.T, d string) error {
		if err := os.Remove(d + "/policy.yaml"); err != nil {
			return err
		}
		return os.Mkdir(d+"/policy.yaml", 0o755)
	}, want: `policy "DIR/policy.yaml": is not a regular file`},
	{name: "a FIFO", spoil: func(_ *testing.T, d string) error {
		if err := os.Remove(d + "/policy.yaml"); err != nil {
			return err
		}
		return syscall.Mkfifo(d+"/policy.yaml", 0o600)
	}, want: `policy "DIR/policy.yaml": is not a regular file`},
	{name: "a profile that is a FIFO", spoil: func(_ *testing.T, d string) error {
		if err := os.Remove(d + "/profiles/a.json"); err != nil {
			return err
		}
		return syscall.Mkfifo(d+"/profiles/a.json", 0o600)
	}, want: `policy "DIR/policy.yaml":3:22: profiles.a.file: profile "DIR/profiles/a.json": is not a regular file`},
	{
		name:  "too large",
		spoil: func(_ *testing.T, d string) error { return os.Truncate(d+"/policy.yaml", policy.MaxSize+1) },
		want:  `policy "DIR/policy.yaml": 4194305 bytes are more than the 4194304 that Batten reads`,
	},
	{
		name:  "missing profile",
		spoil: func(_ *testing.T, d string) error { return os.Remove(d + "/profiles/a.json") },
		want:  `policy "DIR/policy.yaml":3:22: profiles.a.file: profile "DIR/profiles/a.json": no such file or directory`,
	},
	{
		name:  "broken profile",
		spoil: func(_ *testing.T, d string) error { return os.WriteFile(d+"/profiles/a.json", []byte("{\n}"), 0o644) },
		want:  `profile "DIR/profiles/a.json":1:1: defaultAction is missing: runc refuses such a profile, and installs no filter where there are no rules either`,
	},
}

func TestLoadTrusts(t *testing.T) {
	for _, tt := range trustCases {
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
