package observe

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
)

// called is a container that batten-runc is called for by its command line.
type called struct {
	*node.Node
	t       *testing.T
	id      string
	runtime string
}

// call calls batten-runc, and returns what it wrote. Files are used, as a pipe would be waited
// for that the container has.
func (c *called) call(args ...string) (string, error) {
	c.t.Helper()
	said, err := os.Create(filepath.Join(c.Dir, "said"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer said.Close()
	cmd := c.Command(append([]string{filepath.Join(c.Bin, "batten-runc"), "--root", filepath.Join(c.Dir, "state")}, args...)...)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.ExtraFiles = []*os.File{said} // as conmon has open what it reads the end of
	stop := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	err = cmd.Run()
	text, readErr := os.ReadFile(said.Name())
	if readErr != nil {
		c.t.Fatal(readErr)
	}
	return string(text), err
}

func (c *called) must(args ...string) string {
	c.t.Helper()
	out, err := c.call(args...)
	if err != nil {
		c.t.Fatalf("%q: %v: %s", args, err, out)
	}
	return out
}

// bundle makes a bundle, and the settings of batten-runc.
func (c *called) bundle(args ...string) string {
	c.t.Helper()
	dir := c.Bundle("bundle", c.id, args...)
	if err := os.WriteFile(filepath.Join(c.Etc, "runc.toml"), fmt.Appendf(nil, "Runtime = %q\n", c.runtime), 0o644); err != nil {
		c.t.Fatal(err)
	}
	return dir
}

// runtimes are those that batten-runc may hand over to.
func runtimes(n *node.Node) map[string]string {
	return map[string]string{"runc": n.Runtime(), "crun": filepath.Join(n.Bin, "crun")}
}
