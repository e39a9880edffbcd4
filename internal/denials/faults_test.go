package denials_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/policy/bpf"
	"golang.org/x/sys/unix"
)

// count returns how often a call was counted.
func (w *watched) count(name string) (n uint64) {
	for _, d := range w.Counts().Denials {
		if d.Syscall == name {
			n += d.Count
		}
	}
	return n
}

// Each call of each thread and process counts once, in the first process and in execs.
func TestEveryCallCounts(t *testing.T) {
	w := watch(t, false, nil)
	if got := w.run("loop", nr(unix.SYS_GETPPID), "1000", "8"); got[1] != 0 {
		t.Errorf("8 threads: %d other results", got[1])
	}
	for range 2 {
		if got := w.run("forks", nr(unix.SYS_GETPPID), "50"); got[0] != 0 {
			t.Errorf("50 processes: %d other results", got[0])
		}
	}
	const want = 8*1000 + 2*50
	eventually(t, "all calls", func() bool { return w.count("getppid") >= want })
	if got := w.count("getppid"); got != want {
		t.Errorf("counted %d, want %d", got, want)
	}
}

// A signal restarts a call, which has one result all the same. It counts once, but for signals
// that come after the answer: of these nobody tells the listener.
func TestSignals(t *testing.T) {
	for _, letThrough := range []bool{false, true} {
		w := watch(t, letThrough, nil)
		got := w.run("signals", nr(unix.SYS_GETPGID), "5000")
		if got[1] != 0 {
			t.Errorf("let through %t: %d other results", letThrough, got[1])
		}
		eventually(t, "all calls", func() bool { return w.count("getpgid") >= 5000 })
		if n := w.count("getpgid"); n > uint64(5000+got[2]) {
			t.Errorf("let through %t: counted %d for 5000 calls and %d signals", letThrough, n, got[2])
		}
	}
}

// After Close calls fail with ENOSYS.
func TestClosed(t *testing.T) {
	for _, letThrough := range []bool{false, true} {
		w := watch(t, letThrough, nil)
		next, twice := w.twice(unix.SYS_GETPGID)
		if first := next(); (first == -int(unix.ENOSR)) == letThrough {
			t.Errorf("let through %t: first %d", letThrough, first)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if second := twice(); second != -int(unix.ENOSYS) {
			t.Errorf("let through %t: after Close %d, want %d", letThrough, second, -int(unix.ENOSYS))
		}
	}
}

// twice starts a child that makes one call, and another one when it is told. first and second
// return the results.
func (w *watched) twice(call int) (first, second func() int) {
	w.t.Helper()
	in, tell, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	results, out, err := os.Pipe()
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { tell.Close(); results.Close() })
	cmd := w.command("twice", nr(call))
	cmd.Stdin, cmd.Stdout = in, out
	w.begin(cmd)
	in.Close()
	out.Close()
	next := func() int {
		w.t.Helper()
		line := make([]byte, 32)
		n, err := results.Read(line)
		if err != nil {
			w.t.Fatal(err)
		}
		return number(w.t, strings.TrimSpace(string(line[:n])))
	}
	return next, func() int {
		w.t.Helper()
		if _, err := io.WriteString(tell, "x"); err != nil {
			w.t.Fatal(err)
		}
		return next()
	}
}

// slowJudge waits in its answer until it is let go.
type slowJudge struct {
	denials.Judge
	asked, goOn chan struct{}
}

func (s slowJudge) Errno(c bpf.Call) uint16 {
	s.asked <- struct{}{}
	<-s.goOn
	return s.Judge.Errno(c)
}

// slowly makes the listener of a request wait in each answer.
func slowly(asked, goOn chan struct{}) func(*denials.Request) {
	return func(r *denials.Request) { r.Judge = slowJudge{r.Judge, asked, goOn} }
}

// A process that is killed while its call waits for the answer is not counted, and the
// listener goes on.
func TestKilledMeanwhile(t *testing.T) {
	asked, goOn := make(chan struct{}), make(chan struct{})
	w := watch(t, false, slowly(asked, goOn))
	var out bytes.Buffer
	cmd := w.start(&out, "call", nr(unix.SYS_GETPPID))
	<-asked
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	goOn <- struct{}{}
	go func() {
		<-asked
		goOn <- struct{}{}
	}()
	if got := w.run("call", nr(unix.SYS_GETPGID))[0]; got != -int(unix.ENOSR) {
		t.Errorf("control: got %d, want %d", got, -int(unix.ENOSR))
	}
	eventually(t, "the control", func() bool { return w.count("getpgid") == 1 })
	if c := w.Counts(); len(c.Denials) != 1 || c.Broken != "" {
		t.Errorf("%+v", c)
	}
}

// panickingJudge does not know what to do with one call.
type panickingJudge struct{ denials.Judge }

func (p panickingJudge) Answer(c bpf.Call) (outcome, bool) {
	if c.Nr == unix.SYS_GETPGID {
		panic("no answer")
	}
	return p.Judge.Answer(c)
}

func (p panickingJudge) Errno(c bpf.Call) uint16 {
	if c.Nr == unix.SYS_GETPGID {
		panic("no errno")
	}
	return p.Judge.Errno(c)
}

// A bug takes one descriptor from the listener, whose calls fail with ENOSYS then, and nothing
// else.
func TestPanic(t *testing.T) {
	for _, letThrough := range []bool{false, true} {
		w := watch(t, letThrough, func(r *denials.Request) { r.Judge = panickingJudge{r.Judge} })
		first, second := w.twice(unix.SYS_GETPGID)
		want := "internal error: no errno; what the profile denies fails with ENOSYS there"
		if letThrough { // the call has run when it is counted
			first()
			want = "internal error: no answer; what the profile denies fails with ENOSYS there, although the policy only audits"
			eventually(t, "the panic", func() bool { return w.Counts().Broken != "" })
			first = second
		}
		if got := first(); got != -int(unix.ENOSYS) {
			t.Errorf("let through %t: got %d, want %d", letThrough, got, -int(unix.ENOSYS))
		}
		if got := w.run("call", nr(unix.SYS_GETPPID))[0]; (got == -int(unix.EPERM)) == letThrough {
			t.Errorf("let through %t: control: got %d", letThrough, got)
		}
		eventually(t, "the control", func() bool { return w.count("getppid") == 1 })
		if got := w.Counts().Broken; got != want {
			t.Errorf("broken %q, want %q", got, want)
		}
	}
}

// A path that others can reach, or that is too long for a socket, is refused.
func TestNotListening(t *testing.T) {
	w := watch(t, false, nil)
	open := t.TempDir()
	if err := os.Chmod(open, 0o711); err != nil {
		t.Fatal(err)
	}
	long := "/" + strings.Repeat("a", 107)
	for _, tt := range []struct {
		name string
		edit func(*denials.Request)
		want string
	}{
		{name: "reachable", edit: func(r *denials.Request) { r.Path = filepath.Join(open, "s") }, want: `listener "` + open + `/s": others can reach its directory; chmod 0700 ` + open},
		{name: "long", edit: func(r *denials.Request) { r.Path = long }, want: `listener "` + long + `": the path of a socket must be absolute and have at most 107 bytes`},
		{name: "relative", edit: func(r *denials.Request) { r.Path = "s" }, want: `listener "s": the path of a socket must be absolute and have at most 107 bytes`},
		{name: "no name", edit: func(r *denials.Request) { r.ID = ".." }, want: `".." cannot be a containerd namespace or container id`},
		{name: "no judge", edit: func(r *denials.Request) { r.Judge = nil }, want: "internal error: a listener without a profile"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := w.request
			tt.edit(&r)
			l, err := denials.Listen(r)
			if err == nil {
				err = errors.Join(errors.New("it listens"), l.Close())
			}
			if err.Error() != tt.want {
				t.Errorf("got %q, want %q", err, tt.want)
			}
		})
	}
}
