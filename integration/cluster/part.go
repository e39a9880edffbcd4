package cluster

import (
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"
)

// part is a process of the cluster, started again when it ends by itself, as the
// node's service manager would.
type part struct {
	run func() (*exec.Cmd, error)

	mu      sync.Mutex
	cmd     *exec.Cmd
	stopped bool
	ended   chan struct{}
}

// start starts a part of the cluster, whose log is a file of its name.
func (c *Cluster) start(name, binary string, args ...string) {
	c.t.Helper()
	p := &part{ended: make(chan struct{}), run: func() (*exec.Cmd, error) {
		log, err := os.OpenFile(c.path(name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, err
		}
		defer log.Close()
		cmd := c.Command(append([]string{binary}, args...)...)
		cmd.Stdout, cmd.Stderr = log, log
		return cmd, cmd.Start()
	}}
	var err error
	if p.cmd, err = p.run(); err != nil {
		c.t.Fatal(err)
	}
	if !slices.Contains(c.order, name) {
		c.order = append(c.order, name)
	}
	c.parts[name] = p
	go p.supervise()
}

func (p *part) supervise() {
	defer close(p.ended)
	for {
		_ = p.cmd.Wait()
		time.Sleep(200 * time.Millisecond)
		p.mu.Lock()
		if p.stopped {
			p.mu.Unlock()
			return
		}
		cmd, err := p.run()
		if err == nil {
			p.cmd = cmd
		}
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Stop ends a part of the cluster by a signal.
func (c *Cluster) Stop(name string, signal syscall.Signal) {
	p := c.parts[name]
	if p == nil {
		return
	}
	p.mu.Lock()
	p.stopped = true
	_ = p.cmd.Process.Signal(signal)
	p.mu.Unlock()
	<-p.ended
	delete(c.parts, name)
}
