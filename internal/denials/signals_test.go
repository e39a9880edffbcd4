package denials_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// With WAIT_KILLABLE_RECV a signal does not interrupt a call that the listener has received:
// the program gets the profile's errno, and its handler runs after that. Without the flag it gets
// EINTR. SIGKILL ends either.
func TestKillable(t *testing.T) {
	for _, killable := range []bool{false, true} {
		asked, goOn := make(chan struct{}), make(chan struct{})
		w := watch(t, false, slowly(asked, goOn))
		begin := func(args ...string) (out *bytes.Buffer, signal func(unix.Signal), wait func() error) {
			out = new(bytes.Buffer)
			cmd := w.command(args...)
			cmd.Stdout = out
			if killable {
				cmd.Env = append(cmd.Environ(), "KILLABLE=1")
			}
			w.begin(cmd)
			return out, func(s unix.Signal) { _ = cmd.Process.Signal(s) }, cmd.Wait
		}

		out, signal, wait := begin("interrupted", nr(unix.SYS_GETPGID))
		<-asked
		signal(unix.SIGUSR1)
		if killable {
			time.Sleep(100 * time.Millisecond) // nothing tells that nothing happens
			goOn <- struct{}{}
		}
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		if !killable {
			goOn <- struct{}{}
		}
		want := map[bool]string{false: "-" + nr(int(unix.EINTR)) + " 1", true: "-" + nr(int(unix.ENOSR)) + " 1"}[killable]
		if got := strings.TrimSpace(out.String()); got != want {
			t.Errorf("killable %t: result and signals are %q, want %q", killable, got, want)
		}

		_, signal, wait = begin("interrupted", nr(unix.SYS_GETPGID))
		<-asked
		signal(unix.SIGKILL)
		if err := wait(); err == nil || err.Error() != "signal: killed" {
			t.Errorf("killable %t: SIGKILL ended it with %v", killable, err)
		}
		goOn <- struct{}{}
		if counted := map[bool]uint64{true: 1}[killable]; w.count("getpgid") != counted {
			t.Errorf("killable %t: counted %d, want %d", killable, w.count("getpgid"), counted)
		}
	}
}
