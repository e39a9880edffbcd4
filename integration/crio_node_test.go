package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/criotest"
	"github.com/pelletier/go-toml/v2"
)

// crio stands in for CRI-O, which cannot be had here: it hands conmon and the runtime the
// arguments, the files and the annotations that CRI-O's sources say.
type crio struct {
	*node.Node
	t *testing.T
	// runtime and root are the handler's runtime_path and runtime_root.
	runtime, root string
	pod           criotest.Pod
}

// newCRIO makes a node on which CRI-O's configuration names a runtime, and installs Batten.
func newCRIO(t *testing.T, runtime string) *crio {
	t.Helper()
	c := &crio{Node: node.Bare(t, "debian"), t: t, pod: criotest.Pod{Name: "shop-1", Namespace: "web", UID: "5d1c-77"}}
	c.root = filepath.Join(c.Dir, "state")
	writeFile(t, filepath.Join(c.Dir, "crio/crio.conf.d/10-crio.conf"), fmt.Sprintf(
		"[crio.runtime]\ndefault_runtime = \"real\"\n[crio.runtime.runtimes.real]\nruntime_path = %q\nruntime_root = %q\n", filepath.Join(c.Bin, runtime), c.root))
	dropIn := filepath.Join(c.Dir, "crio/crio.conf.d/99-batten.conf")
	output(t, "install", c.Command("batten", "install", "--crio", "--default", "--config", dropIn, "--bin", c.Bin))
	var config struct {
		CRIO struct {
			Runtime struct {
				Runtimes map[string]struct {
					Path string `toml:"runtime_path"`
					Root string `toml:"runtime_root"`
				} `toml:"runtimes"`
			} `toml:"runtime"`
		} `toml:"crio"`
	}
	text, err := os.ReadFile(dropIn)
	if err == nil {
		err = toml.Unmarshal(text, &config)
	}
	handler := config.CRIO.Runtime.Runtimes["batten"]
	if err != nil || handler.Root != c.root {
		t.Fatalf("%v: the drop-in says\n%s", err, text)
	}
	c.runtime = handler.Path
	return c
}

// bundle makes the bundle of a container, where containers/storage has it.
func (c *crio) bundle(id string, annotations map[string]string, args ...string) string {
	c.t.Helper()
	dir := c.Bundle(filepath.Join("overlay-containers", id, "userdata"), id, args...)
	file := filepath.Join(dir, "config.json")
	var spec map[string]any
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &spec)
	}
	if err == nil {
		spec["annotations"] = annotations
		text, err = json.Marshal(spec)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	writeFile(c.t, file, string(text))
	return dir
}

// call is conmon's for a container of a bundle.
func (c *crio) call(bundle, id string) criotest.Conmon {
	return criotest.Conmon{Bundle: bundle, ID: id, Name: "k8s_" + id, Dir: filepath.Dir(bundle), Runtime: c.runtime, Root: c.root, Run: filepath.Join(c.Dir, "run")}
}

// create has conmon create a container, as CRI-O does: conmon waits for a byte, and then says the
// process's number, or why there is none.
func (c *crio) create(bundle, id string) error {
	c.t.Helper()
	call := c.call(bundle, id)
	for _, dir := range []string{"exits", "attach"} {
		if err := os.MkdirAll(filepath.Join(call.Run, dir), 0o755); err != nil {
			c.t.Fatal(err)
		}
	}
	said, says := pipe(c.t)
	starts, start := pipe(c.t)
	var stderr bytes.Buffer
	cmd := c.Command(append([]string{filepath.Join(c.Bin, "conmon")}, call.Args()...)...)
	cmd.Env = append(cmd.Env, "_OCI_SYNCPIPE=3", "_OCI_STARTPIPE=4", "CRI_O_EXTERNAL=1")
	cmd.Stderr = &stderr
	cmd.ExtraFiles = []*os.File{says, starts}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	says.Close()
	starts.Close()
	if _, err := start.Write([]byte{0}); err != nil {
		c.t.Fatal(err)
	}
	start.Close()
	var answer struct {
		Pid     int    `json:"pid"`
		Message string `json:"message"`
	}
	err := json.NewDecoder(said).Decode(&answer)
	if err := cmd.Wait(); err != nil {
		c.t.Fatalf("conmon: %v: %s", err, &stderr)
	}
	if err != nil {
		c.t.Fatalf("conmon says nothing: %v: %s", err, &stderr)
	}
	if answer.Pid <= 0 {
		return fmt.Errorf("container create failed: %s", answer.Message)
	}
	return nil
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// runs is CRI-O's own call of the runtime.
func (c *crio) runs(bundle, id string, args ...string) *exec.Cmd {
	call := c.call(bundle, id)
	return c.Command(append([]string{call.Runtime}, call.RuntimeArgs(args...)...)...)
}

// start creates and starts a container, which is deleted with the test.
func (c *crio) start(bundle, id string) error {
	c.t.Helper()
	if err := c.create(bundle, id); err != nil {
		return err
	}
	c.t.Cleanup(func() { _ = c.runs(bundle, id, "delete", "--force", id).Run() })
	if out, err := c.runs(bundle, id, "start", id).CombinedOutput(); err != nil {
		return fmt.Errorf("start: %w: %s", err, out)
	}
	return nil
}

// exec runs a program in a container as CRI-O's ExecSync does, and returns what it wrote.
func (c *crio) exec(bundle, id string, args ...string) string {
	c.t.Helper()
	process := filepath.Join(c.Dir, "exec-"+id)
	text, err := json.Marshal(map[string]any{"args": args, "cwd": "/", "user": map[string]int{"uid": 0, "gid": 0}})
	if err != nil {
		c.t.Fatal(err)
	}
	writeFile(c.t, process, string(text))
	return output(c.t, "exec "+strings.Join(args, " "), c.runs(bundle, id, "exec", "--process", process, id))
}

// delete deletes a container as CRI-O does.
func (c *crio) delete(bundle, id string) {
	c.t.Helper()
	output(c.t, "delete", c.runs(bundle, id, "delete", "--force", id))
}
