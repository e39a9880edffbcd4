package shim

import (
	"sync"
	"time"

	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
)

// drainLimit is how long the shim's end may wait for its last events.
const drainLimit = 2 * time.Second

// drain lets the process end only after its last events are out. containerd's
// runc shim of 2.x ends as soon as it has been shut down, while the last event
// of a task, its deletion, may still be on its way: about one in twenty is lost.
type drain struct {
	containerdshim.Publisher
	once   sync.Once
	closed chan struct{}
}

// over is p, watched.
func (d *drain) over(p containerdshim.Publisher) containerdshim.Publisher {
	d.Publisher, d.closed = p, make(chan struct{})
	return d
}

// Close is called by containerd's service after it has published all events.
func (d *drain) Close() error {
	d.once.Do(func() { close(d.closed) })
	return d.Publisher.Close()
}

// wait returns when all events are out, or there is no publisher, or it has
// taken too long.
func (d *drain) wait() {
	if d.closed == nil {
		return
	}
	select {
	case <-d.closed:
	case <-time.After(drainLimit):
	}
}
