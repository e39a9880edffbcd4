package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/denials/overview"
	"golang.org/x/sys/unix"
)

// denialJSON is a denial with its first call as text.
type denialJSON struct {
	Call string `json:"call"`
	denials.Denial
}

// A follower prints denials as they are counted.
type follower struct {
	*denied
	asJSON    bool
	out, warn io.Writer

	told  map[string]uint64 // the count that was printed last, by container and kind
	quiet map[string]bool   // the containers of which it was said that they are not observed
}

// again is how long a follower waits before it looks again. The counts are written a second
// apart.
const again = 500 * time.Millisecond

// run prints the denials that there are, and then each new one, until ctx ends.
func (f *follower) run(ctx context.Context) error {
	f.told, f.quiet = make(map[string]uint64), make(map[string]bool)
	for {
		list, err := f.list()
		if err != nil {
			return err
		}
		f.gone = true
		for _, c := range list {
			if err := f.tell(c); err != nil {
				return err
			}
		}
		if deaf(f.out) {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(again):
		}
	}
}

// deaf reports whether out is a pipe that nobody reads any more: poll(2) gives POLLERR for it.
func deaf(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	fds := []unix.PollFd{{Fd: int32(f.Fd())}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n == 1 && fds[0].Revents&unix.POLLERR != 0
}

// tell prints what is new of a container.
func (f *follower) tell(c overview.Container) error {
	owner, id := c.Owner()
	if why := c.Unobserved(); why != "" && !f.quiet[owner+"/"+id+why] {
		f.quiet[owner+"/"+id+why] = true
		if _, err := fmt.Fprintf(f.warn, "%s: %s\n", c.ShortID(), why); err != nil {
			return err
		}
	}
	for _, d := range c.Since(f.from) {
		key := fmt.Sprintf("%s/%s %s %s %v %s %d", owner, id, d.Arch, d.Syscall, d.Args, d.Action, d.Errno)
		before := f.told[key]
		if d.Count == before {
			continue
		}
		f.told[key] = d.Count
		if err := f.line(c, d, d.Count-min(before, d.Count)); err != nil {
			return err
		}
	}
	return nil
}

// line prints the calls of one kind, of which some are new.
func (f *follower) line(c overview.Container, d denials.Denial, more uint64) error {
	if f.asJSON {
		whole := jsonOf(c, f.from)
		whole.Unseen, whole.Denials = nil, []denialJSON{{overview.Call(&d, native), d}}
		enc := json.NewEncoder(f.out)
		enc.SetEscapeHTML(false)
		return enc.Encode(whole)
	}
	_, err := fmt.Fprintf(f.out, "%s %s: %s %s, %d new of %d, by %s\n", moment(d.Last), inALine(c.Title(), "", c.ShortID()),
		overview.Call(&d, native), answered(c.Counts.Answer, d.Kind), more, d.Count, overview.By(d.Sample))
	return err
}
