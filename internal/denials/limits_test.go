package denials_test

import (
	"os"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"golang.org/x/sys/unix"
)

// More execs than the listener has descriptors for are denied.
func TestManyDescriptors(t *testing.T) {
	denials.SetMaxDescriptors(t, 2)
	w := watch(t, false, nil)
	var seconds []func() int
	for range 2 {
		first, second := w.twice(unix.SYS_GETPGID)
		if got := first(); got != -int(unix.ENOSR) {
			t.Errorf("got %d, want %d", got, -int(unix.ENOSR))
		}
		seconds = append(seconds, second)
	}
	if got := w.run("call", nr(unix.SYS_GETPGID))[0]; got != -int(unix.ENOSYS) {
		t.Errorf("the third: got %d, want %d", got, -int(unix.ENOSYS))
	}
	const want = "the container has too many execs at once: the calls of the last ones are not seen; what the profile denies fails with ENOSYS there"
	if got := w.Counts().Broken; got != want {
		t.Errorf("broken %q, want %q", got, want)
	}
	for _, second := range seconds {
		if got := second(); got != -int(unix.ENOSR) {
			t.Errorf("got %d, want %d", got, -int(unix.ENOSR))
		}
	}
	// The two have ended, so there is room again.
	eventually(t, "room", func() bool { return w.run("call", nr(unix.SYS_GETPGID))[0] == -int(unix.ENOSR) })
}

// Kinds are bounded; what is beyond is counted in one.
func TestManyKinds(t *testing.T) {
	w := watch(t, false, nil)
	const calls = denials.MaxKinds + 108 // 8 of which are allowed
	w.run("varied", nr(unix.SYS_PERSONALITY), nr(calls))
	eventually(t, "all calls", func() bool { return w.Counts().Others >= 100 })
	c := w.Counts()
	if len(c.Denials) != denials.MaxKinds || c.Others != 100 {
		t.Errorf("%d kinds and %d others", len(c.Denials), c.Others)
	}
	for i, d := range c.Denials {
		if want := uint64(i + 9); d.Args[0] != want || d.Count != 1 || d.Sample.Args[0] != want {
			t.Fatalf("kind %d: %+v", i, d)
		}
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if _, err := w.request.Store.Read("o", "c"); err != nil {
		t.Error(err)
	}
}

// A directory that cannot be written stops no answer, and is told once. When it can be
// written, it is.
func TestUnwritable(t *testing.T) {
	w := watch(t, false, nil)
	if err := os.WriteFile(w.request.Store.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.run("loop", nr(unix.SYS_GETPPID), "100", "1")
	eventually(t, "a warning", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.warned) > 0 })
	eventually(t, "100 calls", func() bool { return w.count("getppid") == 100 })
	want := `the denials of container "c" cannot be written, but are counted: mkdir ` + w.request.Store.Dir + ": not a directory"
	w.mu.Lock()
	if len(w.warned) != 1 || w.warned[0].Error() != want {
		t.Errorf("got %v, want %s", w.warned, want)
	}
	w.mu.Unlock()
	time.Sleep(2500 * time.Millisecond) // until nothing but the failure itself asks for a write
	if err := os.Remove(w.request.Store.Dir); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the file", func() bool {
		c, err := w.request.Store.Read("o", "c")
		return err == nil && len(c.Denials) == 1 && c.Denials[0].Count == 100
	})
	if w.Counts().Broken != "" {
		t.Errorf("broken: %s", w.Counts().Broken)
	}
}
