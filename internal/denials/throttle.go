package denials

import "time"

// What a container's denials may cost the node is a share of one processor, beyond a burst.
//
// A call costs the listener about 5 µs of processor time. So the burst is some twenty thousand
// calls at once, and the share some forty thousand calls a second without end. Programs that
// try what a profile denies do so a few times; they never wait. A program that tries on and on
// waits for its own answers.
const (
	burst = 100 * time.Millisecond
	share = 0.2
	// checkEvery is after how many calls the processor time is looked at: that is a system
	// call, too.
	checkEvery = 32
	// minPause lets the listener do some work between two pauses.
	minPause = 2 * time.Millisecond
)

// A throttle says how long the listener is to pause so that it keeps within its share. The
// zero value has its full burst.
type throttle struct {
	spent time.Duration // processor time beyond the share
	cpu   time.Duration // as of the last look
	at    time.Time     // of the last look
}

// pause returns how long to wait before the next answer, given the processor time that the
// listener has used since it began.
func (t *throttle) pause(now time.Time, cpu time.Duration) time.Duration {
	if !t.at.IsZero() {
		earned := time.Duration(share * float64(now.Sub(t.at)))
		t.spent = max(0, t.spent+(cpu-t.cpu)-earned)
	}
	t.at, t.cpu = now, cpu
	if t.spent <= burst {
		return 0
	}
	return max(minPause, time.Duration(float64(t.spent-burst)/share))
}
