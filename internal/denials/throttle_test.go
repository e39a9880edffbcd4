package denials_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"golang.org/x/sys/unix"
)

// A listener that is busy all the time gets its burst and then its share; after a rest it has
// its burst again.
func TestThrottle(t *testing.T) {
	pause := denials.Throttle()
	now, cpu, paused := time.Unix(0, 0), time.Duration(0), time.Duration(0)
	work := func(d time.Duration) time.Duration {
		now, cpu = now.Add(d), cpu+d
		p := pause(now, cpu)
		now, paused = now.Add(p), paused+p
		return p
	}
	began := now
	work(0)
	for cpu < denials.Burst {
		if p := work(time.Millisecond); p != 0 {
			t.Fatalf("pauses %s after %s", p, cpu)
		}
	}
	for now.Sub(began) < 10*time.Second {
		work(time.Millisecond)
	}
	limit := time.Duration(denials.Share*float64(now.Sub(began))) + denials.Burst
	if cpu > limit+limit/20 || cpu < limit-limit/20 {
		t.Errorf("%s of processor time in %s with %s of pauses, want %s", cpu, now.Sub(began), paused, limit)
	}
	now = now.Add(time.Minute)
	for range denials.Burst / time.Millisecond {
		if p := work(time.Millisecond); p != 0 {
			t.Fatalf("pauses %s after a rest", p)
		}
	}
}

// A flood of denials costs the program that makes it. This process does nothing else, so its
// processor time is the listener's.
func TestFlood(t *testing.T) {
	w := watch(t, false, nil)
	var out bytes.Buffer
	w.start(&out, "loop", nr(unix.SYS_GETPPID), "100000000", "8")
	eventually(t, "the burst is over", func() bool { return w.Counts().Slowed > 0 })
	before, calls, began := processorTime(t), w.count("getppid"), time.Now()
	time.Sleep(3 * time.Second)
	used, wall := processorTime(t)-before, time.Since(began)
	t.Logf("%s of processor time in %s for %d calls, slowed by %s", used, wall, w.count("getppid")-calls, w.Counts().Slowed)
	if used > wall/2 { // the share is a fifth, and the test has a part, too
		t.Errorf("a flood costs %s of processor time in %s", used, wall)
	}
	if w.count("getppid") == calls {
		t.Error("no call was answered")
	}
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
