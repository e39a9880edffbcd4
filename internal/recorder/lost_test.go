package recorder_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/recorder"
	"github.com/batten-runtime/batten/internal/testneeds"
)

// What is ignored is not recorded, and its place has nothing of it afterwards.
func TestIgnored(t *testing.T) {
	const places = 4 // another of this machine may take one for a moment
	r := newRig(t, recorder.Options{Containers: places})
	cmd := r.command("wait")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	n := r.start(cmd)
	if err := r.Ignore(n); err != nil {
		t.Fatal(err)
	}
	place := func(tag recorder.Tag) recorder.Tag { return tag & 0xffff }
	for range 10 * places { // until its place comes round
		next := r.command("threads", "2")
		m := r.start(next)
		again := place(m.Tag) == place(n.Tag)
		if again {
			if _, err := io.WriteString(in, "x"); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
		}
		if err := next.Wait(); err != nil {
			t.Fatal(err)
		}
		if got := r.of(m.Tag); got["keyctl"].Name != "" || got["add_key"].Name == "" {
			t.Errorf("%v", got)
		}
		if m.Tag == n.Tag {
			t.Errorf("both have tag %#x", m.Tag)
		}
		if again {
			return
		}
		if err := r.Drop(m.Tag); err != nil {
			t.Fatal(err)
		}
	}
	t.Error("its place was not given away again")
}

// A program that makes a mount namespace at once, before anybody has said that it is to be
// recorded, is told to be the same one there.
func TestApart(t *testing.T) {
	r := newRig(t, recorder.Options{})
	r.ignoreOwn()
	cmd := r.command("apart")
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	var told []recorder.New
	for len(told) < 2 {
		n, err := r.Next(time.Now().Add(5 * time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if n.Pid == cmd.Process.Pid {
			told = append(told, n)
		}
	}
	if told[0].Was != 0 || told[1].Was != told[0].Tag || r.of(told[1].Tag)["add_key"].Name == "" {
		t.Errorf("told %+v, recorded %v", told, r.of(told[1].Tag))
	}
}

// A process that has ended before it is added counts for none: else its container never ends.
func TestEndedBefore(t *testing.T) {
	r := newRig(t, recorder.Options{})
	tag, err := r.Take()
	if err != nil {
		t.Fatal(err)
	}
	alive := exec.Command("sleep", "1000")
	ended := exec.Command("true")
	if err := errors.Join(alive.Start(), ended.Start()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond) // nobody has waited for it
	err = errors.Join(r.Add(tag, ended.Process.Pid), ended.Wait(), r.Add(tag, ended.Process.Pid), r.Add(tag, alive.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if all, err := r.Population(); err != nil || all[tag] != 1 {
		t.Errorf("%d processes, want the one that is alive (%v)", all[tag], err)
	}
	_ = errors.Join(alive.Process.Kill(), alive.Wait()) // it is killed
}

// Values of what was dropped leave room for those of others: a recorder works for days.
func TestRoom(t *testing.T) {
	r := newRig(t, recorder.Options{})
	for range 280 { // 256 values each, of 65,536
		cmd := r.command("values", "256")
		n := r.start(cmd)
		if err := errors.Join(cmd.Wait(), r.Drop(n.Tag)); err != nil {
			t.Fatal(err)
		}
	}
	if l := r.lost(); l != (recorder.Lost{}) {
		t.Errorf("lost %+v", l)
	}
}

// What there is no room for is counted.
func TestLost(t *testing.T) {
	const places = 4 // another of this machine may take one for a moment
	r := newRig(t, recorder.Options{Containers: places})
	got := r.calls("values", "300")
	if n := len(got["socket"].Values); n != 256 {
		t.Errorf("%d values", n)
	}
	if l := r.lost(); l.Arguments != 44 || l.Calls != 0 || l.Processes != 0 {
		t.Errorf("lost %+v", l)
	}
	for range places + 1 { // nobody sorts them, so that each keeps its place
		if err := r.command("values", "1").Run(); err != nil {
			t.Fatal(err)
		}
	}
	if l := r.lost(); l.Containers == 0 {
		t.Errorf("lost %+v", l)
	}
}

func TestArguments(t *testing.T) {
	r := newRig(t, recorder.Options{Arguments: []recorder.Argument{{Name: "add_key", Index: 4}}})
	if got := r.calls("threads", "3")["add_key"]; len(got.Values) != 1 || got.Values[0].Index != 4 || got.Values[0].Value != 0 {
		t.Errorf("%+v", got)
	}
	for _, tt := range []struct {
		argument recorder.Argument
		want     string
	}{
		{recorder.Argument{Name: "nosuch"}, `no system call "nosuch" on this machine`},
		{recorder.Argument{Name: "ioctl", Index: 6}, "ioctl has no argument 6"},
	} {
		if _, err := recorder.Open(recorder.Options{Arguments: []recorder.Argument{tt.argument}}); fmt.Sprint(err) != tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

// Who may not record is told why, and what to do.
func TestUnable(t *testing.T) {
	if os.Getenv("RECORDER_UNABLE") != "" {
		_, err := recorder.Open(recorder.Options{})
		unable := new(recorder.Unable)
		if !errors.As(err, &unable) {
			t.Fatalf("got %v", err)
		}
		fmt.Printf("%s. %s\n", unable.Why, unable.Remedy)
		return
	}
	testneeds.Root(t, "another user")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("/tmp", fmt.Sprintf("recorder-%d.test", os.Getpid())) // which nobody can execute
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	cmd := exec.Command(path, "-test.run", "^TestUnable$")
	cmd.Dir, cmd.Env = "/", append(os.Environ(), "RECORDER_UNABLE=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	const remedy = "run as root, with CAP_BPF and CAP_PERFMON or CAP_SYS_ADMIN, outside of containers\nPASS\n"
	if text := string(out); err != nil || !strings.HasPrefix(text, "no right to ") || !strings.HasSuffix(text, remedy) {
		t.Errorf("%v: %s", err, out)
	}
}
