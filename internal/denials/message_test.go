package denials_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"golang.org/x/sys/unix"
)

// dial connects as a runtime does.
func (w *watched) dial() *net.UnixConn {
	w.t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: w.request.Path, Net: "unix"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	return conn
}

// messages are what a runtime may send, with some descriptors that notify of nothing.
var messages = []struct {
	name, text  string
	descriptors int
	want        string // an empty one loses nothing
	warns       string
}{
	{name: "no message", warns: "a runtime has connected to the listener and said nothing"},
	{name: "no JSON", text: "seccompFd", descriptors: 1, want: "the runtime's message: invalid character 's' looking for beginning of value"},
	{name: "cut", text: `{"fds":["seccompFd"`, descriptors: 1, want: "the runtime's message: unexpected end of JSON input"},
	{name: "another type", text: `{"fds":"seccompFd"}`, descriptors: 1, want: "the runtime's message: json: cannot unmarshal string into Go struct field ContainerProcessState.fds of type []string"},
	{name: "an array", text: `[]`, want: "the runtime's message: json: cannot unmarshal array into Go value of type specs.ContainerProcessState"},
	{name: "no name", text: `{"fds":["other"]}`, descriptors: 1, want: "the runtime's message names no seccompFd among its descriptors"},
	{name: "no descriptor", text: `{"fds":["seccompFd"]}`, want: "the runtime's message names 1 descriptors and has 0"},
	{name: "too few", text: `{"fds":["other","seccompFd"]}`, descriptors: 1, want: "the runtime's message names 2 descriptors and has 1"},
	{name: "too many", text: `{"fds":["seccompFd"]}`, descriptors: 2, want: "the runtime's message names 1 descriptors and has 2"},
	{name: "a pipe", text: `{"fds":["seccompFd"]}`, descriptors: 1, want: "the runtime's seccompFd is no notify descriptor"},
	{name: "many pipes", text: `{"fds":["seccompFd"` + strings.Repeat(`,"x"`, 252) + `]}`, descriptors: 253, want: "the runtime's seccompFd is no notify descriptor"},
	{name: "endless", text: strings.Repeat(" ", denials.MaxMessage+1), descriptors: 1, want: "the runtime's message is longer than 1048576 bytes"},
}

// A message that is broken loses its process for the listener, and nothing else; no
// descriptor stays open.
func TestBrokenMessages(t *testing.T) {
	for _, tt := range messages {
		t.Run(tt.name, func(t *testing.T) {
			w := watch(t, false, nil)
			before := descriptors(t)
			r, p, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			conn := w.dial()
			if tt.text != "" {
				rights := unix.UnixRights(slices.Repeat([]int{int(r.Fd())}, tt.descriptors)...)
				if tt.descriptors == 0 {
					rights = nil
				}
				text := []byte(tt.text)
				n, _, err := conn.WriteMsgUnix(text, rights, nil)
				for err == nil && n < len(text) {
					text = text[n:]
					n, err = conn.Write(text)
				}
				if err != nil && !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) { // it was told enough
					t.Fatal(err)
				}
			}
			if err := errors.Join(conn.Close(), r.Close(), p.Close()); err != nil {
				t.Fatal(err)
			}
			want := tt.warns
			if tt.want != "" {
				want = tt.want
			}
			eventually(t, "a warning", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.warned) == 1 })
			if got := w.warned[0].Error(); got != want {
				t.Errorf("warned of %q, want %q", got, want)
			}
			if tt.want != "" {
				want = tt.want + "; what the profile denies fails with ENOSYS there"
			} else {
				want = ""
			}
			if got := w.Counts().Broken; got != want {
				t.Errorf("broken %q, want %q", got, want)
			}
			eventually(t, "the descriptors closed", func() bool { return descriptors(t) <= before })
			if got := w.run("call", nr(unix.SYS_GETPGID))[0]; got != -int(unix.ENOSR) {
				t.Errorf("control: got %d, want %d", got, -int(unix.ENOSR))
			}
		})
	}
}

// descriptors counts those of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// A runtime that is slow, and sends its message in parts, holds up no other one.
func TestSlowRuntime(t *testing.T) {
	w := watch(t, false, nil)
	before := descriptors(t)
	slow := w.dial()
	if _, err := slow.Write([]byte(`{"fds":`)); err != nil {
		t.Fatal(err)
	}
	if got := w.run("call", nr(unix.SYS_GETPGID))[0]; got != -int(unix.ENOSR) {
		t.Errorf("another runtime: got %d, want %d", got, -int(unix.ENOSR))
	}
	r, p, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, _, err := slow.WriteMsgUnix([]byte(`["seccompFd"]}`), unix.UnixRights(int(r.Fd())), nil); err != nil {
		t.Fatal(err)
	}
	r.Close()
	// The message is whole, though the connection is open.
	eventually(t, "an answer", func() bool { return strings.Contains(w.Counts().Broken, "is no notify descriptor") })
	slow.Close()
	p.Close()
	eventually(t, "the descriptors closed", func() bool { return descriptors(t) <= before })
}

// Close waits for no runtime.
func TestCloseMeanwhile(t *testing.T) {
	w := watch(t, false, nil)
	conn := w.dial()
	if _, err := conn.Write([]byte("{")); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("Close took %s", took)
	}
}

// Only root is heard, even where somebody else can reach the socket.
func TestStranger(t *testing.T) {
	w := watch(t, false, nil)
	for _, path := range []string{filepath.Dir(childPath), filepath.Dir(w.filter), filepath.Dir(w.request.Path)} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Chmod(w.request.Path, 0o666), os.Chmod(w.filter, 0o644)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	cmd := w.command("call", nr(unix.SYS_GETPGID))
	cmd.Stdout = &out
	cmd.SysProcAttr = &unix.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	w.begin(cmd)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := number(t, strings.TrimSpace(out.String())); got != -int(unix.ENOSYS) {
		t.Errorf("got %d, want %d", got, -int(unix.ENOSYS))
	}
	const want = "somebody who is no runtime has connected to the listener: user 65534"
	eventually(t, "a warning", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.warned) == 1 })
	if c := w.Counts(); len(c.Denials) != 0 || c.Broken != "" || w.warned[0].Error() != want {
		t.Errorf("%+v, %v", c, w.warned)
	}
	select {
	case <-w.Attached():
		t.Error("a descriptor of somebody else's is attached")
	default:
	}
}

func FuzzSeccompPlace(f *testing.F) {
	f.Add([]byte(`{"ociVersion":"1.3.0","fds":["x","seccompFd"],"pid":1,"metadata":"m","state":{"ociVersion":"1.3.0","id":"c","status":"creating","bundle":"/b"}}`), 2)
	for _, m := range messages {
		if len(m.text) < 4096 {
			f.Add([]byte(m.text), m.descriptors)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, n int) {
		place, err := denials.SeccompPlace(text, n)
		if err != nil {
			return
		}
		if place < 0 || place >= n || !bytes.Contains(bytes.ToLower(text), []byte("fds")) && !bytes.Contains(text, []byte(`\u`)) && !bytes.Contains(text, []byte("ſ")) {
			t.Errorf("place %d of %d descriptors in %q", place, n, text)
		}
	})
}
