package recorder_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/recorder"
	"github.com/batten-runtime/batten/internal/testneeds"
)

// 500 processes at once are all recorded, each by its value.
func TestManyProcesses(t *testing.T) {
	r := newRig(t, recorder.Options{})
	got := r.calls("many", "500")
	if a, b := len(got["socket"].Values), len(got["socketpair"].Values); a != 250 || b != 250 {
		t.Errorf("%d and %d values", a, b)
	}
	if l := r.lost(); l != (recorder.Lost{}) {
		t.Errorf("lost %+v", l)
	}
}

func TestFollows(t *testing.T) {
	r := newRig(t, recorder.Options{})
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"brief", "3000"}, "keyctl"}, {[]string{"threads", "50"}, "add_key"}, {[]string{"chain", "20"}, "setsid"},
	} {
		got := r.calls(tt.args...)
		if _, ok := got[tt.want]; !ok || len(got) > 40 {
			t.Errorf("%v: %d calls, %s %v", tt.args, len(got), tt.want, ok)
		}
	}
}

// What a container leaves behind is still recorded.
func TestDaemon(t *testing.T) {
	r := newRig(t, recorder.Options{})
	cmd := r.command("chain", "0")
	n := r.start(cmd)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		alive, err := r.Population()
		if err != nil || time.Now().After(late) {
			t.Fatalf("%d processes, %v", alive[n.Tag], err)
		}
		if alive[n.Tag] == 0 {
			break
		}
	}
	if got := r.of(n.Tag); got["acct"].Name == "" {
		t.Errorf("%v", got)
	}
}

func TestTellsI386(t *testing.T) {
	testneeds.Arch(t, "amd64", "calls by int $0x80")
	r := newRig(t, recorder.Options{})
	got := r.calls("i386")
	if got["x86 add_key"].Nr != 286 || got["add_key"].Name != "" || got["getppid"].Nr != 110 {
		t.Errorf("%v", got)
	}
}

// Numbers of processes come round: what others do with a number is not the container's.
func TestNumbersAgain(t *testing.T) {
	r := newRig(t, recorder.Options{})
	r.ignoreOwn()
	cmd := r.command("wait")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	n := r.start(cmd)
	// Children of the container whose numbers others get afterwards.
	brief := r.command("brief", "200")
	kept := r.start(brief)
	if err := brief.Wait(); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(r.program, "wrap", "34000").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := io.WriteString(in, "x"); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, tag := range []recorder.Tag{n.Tag, kept.Tag} {
		if got := r.of(tag); got["acct"].Name != "" || got["keyctl"].Name == "" {
			t.Errorf("%v", got)
		}
	}
}

// The mount namespace is told as /proc has it, also once its process has ended.
func TestMounts(t *testing.T) {
	r := newRig(t, recorder.Options{})
	cmd := r.command("wait")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	n := r.start(cmd)
	want, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/mnt", cmd.Process.Pid))
	if err != nil || n.Mounts != want {
		t.Errorf("got %s, want %s (%v)", n.Mounts, want, err)
	}
	if err := errors.Join(in.Close(), cmd.Process.Kill()); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it was killed
}

// A recorder sees whether its program at each call runs.
func TestToldOfCalls(t *testing.T) {
	r := newRig(t, recorder.Options{Containers: 2})
	for range 5 { // it leaves no place taken
		if told, err := r.Told(); !told || err != nil {
			t.Errorf("told of calls: %t, %v", told, err)
		}
	}
	if err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	if told, err := r.Told(); told || err != nil {
		t.Errorf("told of calls when it is stopped: %t, %v", told, err)
	}
}
