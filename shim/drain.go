package shim

import (
	"sync"
	"time"

	containerdshim "github.com/containerd/containerd/v2/pkg/shim"
)

// drainLimit is how long the shim's end may wait for its last events.
const drainLimit = 2 * time.Second

// drain lets the process end only after its last events are published. containerd's runc
// shim of 2.x ends as soon as it is shut down. It loses about one in twenty of the last
// events of a task, its deletion, which is then not yet published.
type drain struct {
	containerdshim.Publisher
	once   sync.Once
	closed chan struct{}
}

// over returns d to use in place of the publisher p, so that d sees when p is closed.
func (d *drain) over(p containerdshim.Publisher) containerdshim.Publisher {
	d.Publisher, d.closed = p, make(chan struct{})
	return d
}

// Close is called by containerd's service after it has published all events.
func (d *drain) Close() error {
	d.once.Do(func() { close(d.closed) })
	return d.Publisher.Close()
}

// wait returns when all events are published, or there is no publisher, or drainLimit is
// over.
func (d *drain) wait() {
	if d.closed == nil {
		return
	}
	select {
	case <-d.closed:
	case <-time.After(drainLimit):
	}
}
