package denials_test

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Denied calls fail with the profile's errno; the others are not notified of.
func TestDenied(t *testing.T) {
	w := watch(t, false, nil)
	for _, tt := range []struct {
		name string
		args []string
		want int
	}{
		{name: "by default EPERM", args: []string{"call", nr(unix.SYS_GETPPID)}, want: -int(unix.EPERM)},
		{name: "the errno of the rule", args: []string{"call", nr(unix.SYS_GETPGID)}, want: -int(unix.ENOSR)},
		{name: "by its argument", args: []string{"call", nr(unix.SYS_PERSONALITY), "0xffffffff"}, want: -int(unix.ENOSR)},
		{name: "control: another argument", args: []string{"call", nr(unix.SYS_PERSONALITY), "8"}, want: 0},
		{name: "control: another call", args: []string{"call", nr(unix.SYS_GETPID)}, want: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := w.run(tt.args...)
			if tt.want == 1 && got[0] > 1 {
				return // a process number
			}
			if got[0] != tt.want {
				t.Errorf("got %d, want %d", got[0], tt.want)
			}
		})
	}
	<-w.Attached()
	eventually(t, "three kinds", func() bool { return len(w.Counts().Denials) == 3 }) // a call counts after its answer
	c := w.Counts()
	if len(c.Denials) != 3 || c.Answer != denials.Denied || c.Broken != "" || c.Others != 0 {
		t.Fatalf("%+v", c)
	}
	want := denials.Kind{Arch: specs.ArchX86_64, Syscall: "personality", Args: map[uint]uint64{0: 0xffffffff}, Action: specs.ActErrno, Errno: uint16(unix.ENOSR)}
	d := c.Denials[2]
	if !reflect.DeepEqual(d.Kind, want) || d.Count != 1 {
		t.Errorf("got %+v, want %+v", d, want)
	}
	s := d.Sample
	if s.Comm != "child" || s.Exe != childPath || s.Pid != s.HostPid || s.Pid == 0 || s.Args[0] != 0xffffffff || s.InstructionPointer == 0 {
		t.Errorf("sample %+v", s)
	}
}

// A process in a pid namespace has two numbers.
func TestSampleInNamespace(t *testing.T) {
	w := watch(t, false, nil)
	cmd := w.command("call", nr(unix.SYS_GETPPID))
	cmd.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWPID}
	w.begin(cmd)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a kind", func() bool { return len(w.Counts().Denials) == 1 })
	if s := w.Counts().Denials[0].Sample; s.Pid != 1 || s.HostPid != cmd.Process.Pid {
		t.Errorf("%+v, want process 1 there and %d here", s, cmd.Process.Pid)
	}
}

// In an audit the calls run, and are counted.
func TestLetThrough(t *testing.T) {
	w := watch(t, true, nil)
	if got := w.run("call", nr(unix.SYS_GETPPID))[0]; got <= 1 {
		t.Errorf("getppid: got %d, want a process number", got)
	}
	if got := w.run("call", nr(unix.SYS_PERSONALITY), "0xffffffff")[0]; got != 0 {
		t.Errorf("personality: got %d, want 0", got)
	}
	eventually(t, "two kinds", func() bool { return len(w.Counts().Denials) == 2 })
	c := w.Counts()
	if len(c.Denials) != 2 || c.Answer != denials.LetThrough || c.Broken != "" {
		t.Errorf("%+v", c)
	}
}

// Close keeps the counts, Remove removes them; both remove the socket.
func TestEnd(t *testing.T) {
	for _, removed := range []bool{false, true} {
		w := watch(t, false, nil)
		w.run("call", nr(unix.SYS_GETPPID))
		eventually(t, "a kind", func() bool { return len(w.Counts().Denials) == 1 })
		end := w.Close
		if removed {
			end = w.Remove
		}
		if err := end(); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(w.request.Path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the socket: %v", err)
		}
		all, err := w.request.Store.List()
		if err != nil || removed != (len(all) == 0) || !removed && all[0].Denials[0].Count != 1 {
			t.Errorf("removed %t: %+v, %v", removed, all, err)
		}
		time.Sleep(50 * time.Millisecond) // whoever waited for the socket has seen its end
		w.mu.Lock()
		if len(w.warned) > 0 {
			t.Errorf("removed %t: warned of %v", removed, w.warned)
		}
		w.mu.Unlock()
	}
}

// A listener that ends late leaves the socket of the next one at the same path.
func TestNextListener(t *testing.T) {
	w := watch(t, false, nil)
	next, err := denials.Listen(w.request)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if got := w.run("call", nr(unix.SYS_GETPGID))[0]; got != -int(unix.ENOSR) {
		t.Errorf("got %d, want %d", got, -int(unix.ENOSR))
	}
	if err := next.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(w.request.Path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket: %v", err)
	}
}

// Live counts the descriptors under which there are processes.
func TestLive(t *testing.T) {
	w := watch(t, false, nil)
	if got := w.Live(); got != 0 {
		t.Errorf("before: %d", got)
	}
	cmd := w.command("twice", nr(unix.SYS_GETPGID))
	if _, err := cmd.StdinPipe(); err != nil { // it waits there
		t.Fatal(err)
	}
	w.begin(cmd)
	<-w.Attached()
	if got := w.Live(); got != 1 {
		t.Errorf("meanwhile: %d", got)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	eventually(t, "the end", func() bool { return w.Live() == 0 })
}
