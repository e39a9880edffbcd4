package denials

import (
	"fmt"
	"sync"
	"time"
)

const (
	// soon is how long after the first change the counts are written.
	soon = 50 * time.Millisecond
	// between is how long after one write the next one is, at least.
	between = time.Second
)

// A writer writes a container's counts and log lines in a goroutine of its own: no call waits
// for a file system.
type writer struct {
	request Request
	tally   *tally
	change  chan struct{} // holds one while something is not written
	end     chan bool     // receives whether the last counts are to be written
	done    chan error

	logged []uint64 // by kind, the count that the last line had
	warned bool     // that the counts cannot be written
	once   sync.Once
}

func newWriter(r Request, t *tally) *writer {
	return &writer{request: r, tally: t, change: make(chan struct{}, 1), end: make(chan bool, 1), done: make(chan error, 1)}
}

// changed says that the counts have changed. It never waits.
func (w *writer) changed() {
	select {
	case w.change <- struct{}{}:
	default:
	}
}

// stop ends the goroutine. With last it writes what is not written yet, and returns the error
// of that.
func (w *writer) stop(last bool) (err error) {
	w.once.Do(func() {
		w.end <- last
		err = <-w.done
	})
	return err
}

func (w *writer) run() {
	var next time.Time // not before that
	for {
		select {
		case last := <-w.end:
			w.done <- w.finish(last)
			return
		case <-w.change:
		}
		timer := time.NewTimer(max(soon, time.Until(next)))
		select {
		case last := <-w.end:
			timer.Stop()
			w.done <- w.finish(last)
			return
		case <-timer.C:
		}
		began := time.Now()
		if err := w.write(false); err != nil {
			w.changed() // once more, later
		}
		// Many kinds make a large file: it may cost no more than a fiftieth of a processor.
		next = time.Now().Add(max(between, 50*time.Since(began)))
	}
}

// finish logs the last lines, and writes the last counts where they are to stay.
func (w *writer) finish(last bool) error {
	if last {
		return w.write(true)
	}
	return caught(func() error {
		w.lines(w.tally.snapshot(), true)
		return nil
	})
}

// write writes the counts and the new lines.
func (w *writer) write(final bool) error {
	err := caught(func() error {
		c := w.tally.snapshot()
		w.lines(c, final)
		return w.request.Store.Write(&c)
	})
	if err != nil && !w.warned {
		w.warn(fmt.Errorf("the denials of container %q cannot be written, but are counted: %w", w.request.ID, err))
	}
	w.warned = err != nil
	return err
}

// lines logs the kinds that are new; finally, also those of which there were more calls.
func (w *writer) lines(c Counts, final bool) {
	if w.request.Log == nil {
		return
	}
	for i := range c.Denials {
		d := c.Denials[i]
		isNew := i >= len(w.logged)
		if isNew {
			w.logged = append(w.logged, 0)
		}
		if isNew || final && d.Count > w.logged[i] {
			w.logged[i] = d.Count
			w.request.Log(line(w.request, c.Answer, &d))
		}
	}
}

// warn tells the operator.
func (w *writer) warn(err error) {
	if w.request.Warn != nil {
		_ = caught(func() error { w.request.Warn(err); return nil })
	}
}

// caught returns the error of f, or of its panic: nothing here may end the shim.
func caught(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal error: %v", r)
		}
	}()
	return f()
}
