package node

import (
	"os"
	"time"
)

// Output runs a container to its end and returns what it wrote. A failure to
// start it fails the test.
func (n *Node) Output(run Run) string {
	n.t.Helper()
	c, err := n.Create(run)
	if err != nil {
		n.t.Fatalf("creating: %v", err)
	}
	exit, err := c.Task.Wait(c.ctx)
	if err != nil {
		n.t.Fatal(err)
	}
	if err := c.Task.Start(c.ctx); err != nil {
		n.t.Fatalf("starting: %v", err)
	}
	select {
	case <-exit:
	case <-time.After(30 * time.Second):
		n.t.Fatalf("container %s does not end", c.ID)
	}
	// The shim copies what is left of the output after the exit is known, and
	// is done with it when the task is deleted.
	c.Remove()
	return c.Output()
}

// Job runs a container to its end, within a time, and returns what it wrote and its exit
// status. A failure to start it fails the test.
func (n *Node) Job(run Run, limit time.Duration) (output string, exit uint32) {
	n.t.Helper()
	c, err := n.Create(run)
	if err != nil {
		n.t.Fatalf("creating: %v", err)
	}
	if err := c.Task.Start(c.ctx); err != nil {
		n.t.Fatalf("starting: %v", err)
	}
	exit, err = c.waitExit(limit)
	c.Remove() // see Output
	if err != nil {
		n.t.Fatalf("%v\n%s", err, c.Output())
	}
	return c.Output(), exit
}

// Output is what the container's process has written so far.
func (c *Created) Output() string {
	data, _ := os.ReadFile(c.out)
	return string(data)
}
