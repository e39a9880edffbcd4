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
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// rig is a recorder and the program that is recorded.
type rig struct {
	*recorder.Recorder
	t       *testing.T
	program string
}

func newRig(t *testing.T, o recorder.Options) *rig {
	t.Helper()
	testneeds.Root(t, "bpf(2)")
	program := filepath.Join(t.TempDir(), "calls")
	if out, err := exec.Command("gcc", "-O1", "-pthread", "-o", program, "testdata/calls.c").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	r, err := recorder.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return &rig{r, t, program}
}

// command is the program in a mount namespace of its own.
func (r *rig) command(args ...string) *exec.Cmd {
	cmd := exec.Command(r.program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	return cmd
}

// start starts it and returns what the recorder tells of it.
func (r *rig) start(cmd *exec.Cmd) recorder.New {
	r.t.Helper()
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = cmd.Process.Kill() }) // it may have ended
	for {
		n, err := r.Next(time.Now().Add(5 * time.Second))
		if err != nil {
			r.t.Fatal(err)
		}
		if n.Pid == cmd.Process.Pid {
			if err := r.Keep(n.Tag); err != nil {
				r.t.Fatal(err)
			}
			return n
		}
		if err := r.Ignore(n); err != nil { // another of this machine
			r.t.Fatal(err)
		}
	}
}

// ignoreOwn has nothing recorded of the mount namespace of the test itself.
func (r *rig) ignoreOwn() {
	r.t.Helper()
	if err := exec.Command("true").Run(); err != nil {
		r.t.Fatal(err)
	}
	for {
		n, err := r.Next(time.Now().Add(100 * time.Millisecond))
		if errors.Is(err, recorder.ErrDone) {
			return
		}
		if err == nil {
			err = r.Ignore(n)
		}
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

// calls runs the program to its end and returns its calls by name, with the architecture of others.
func (r *rig) calls(args ...string) map[string]recorder.Call {
	r.t.Helper()
	cmd := r.command(args...)
	n := r.start(cmd)
	if err := cmd.Wait(); err != nil {
		r.t.Fatal(err)
	}
	return r.of(n.Tag)
}

func (r *rig) of(tag recorder.Tag) map[string]recorder.Call {
	r.t.Helper()
	all, err := r.Calls(tag)
	if err != nil {
		r.t.Fatal(err)
	}
	out := make(map[string]recorder.Call)
	for _, c := range all {
		name := c.Name
		if c.Arch == specs.ArchX86 {
			name = "x86 " + name
		}
		out[name] = c
	}
	return out
}

func (r *rig) lost() recorder.Lost {
	r.t.Helper()
	l, err := r.Lost()
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

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

// What is ignored is not recorded, and its place has nothing of it afterwards.
func TestIgnored(t *testing.T) {
	r := newRig(t, recorder.Options{Containers: 1})
	cmd := r.command("wait")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	n := r.start(cmd)
	if err := r.Ignore(n); err != nil {
		t.Fatal(err)
	}
	next := r.command("threads", "2")
	m := r.start(next)
	if _, err := io.WriteString(in, "x"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(cmd.Wait(), next.Wait()); err != nil {
		t.Fatal(err)
	}
	if got := r.of(m.Tag); got["keyctl"].Name != "" || got["add_key"].Name == "" {
		t.Errorf("%v", got)
	}
	if m.Tag == n.Tag {
		t.Errorf("both have tag %#x", m.Tag)
	}
}

// What there is no room for is counted.
func TestLost(t *testing.T) {
	r := newRig(t, recorder.Options{Containers: 1})
	got := r.calls("values", "300")
	if n := len(got["socket"].Values); n != 256 {
		t.Errorf("%d values", n)
	}
	if l := r.lost(); l != (recorder.Lost{Arguments: 44}) {
		t.Errorf("lost %+v", l)
	}
	if err := r.command("values", "1").Run(); err != nil {
		t.Fatal(err)
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
