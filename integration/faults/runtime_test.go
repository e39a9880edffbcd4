package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
)

// TestRuntimeFaults: batten-runc, and the runc behind it, under a fault at a call
// of create or of start.
func TestRuntimeFaults(t *testing.T) {
	needStrace(t)
	n := node.Bare(t, engine)
	endPrograms(t, n)
	r := rand.New(rand.NewPCG(8, uint64(time.Now().UnixNano())))
	hit, failed, made := 0, 0, 0
	for want := node.Often(t, "ROUNDS", 10); hit < want; made++ {
		if made > 6*want {
			t.Fatalf("only %d of %d faults came to pass", hit, made)
		}
		w := &wrapped{Node: n, t: t, id: fmt.Sprintf("f%d", made), fault: randomFault(r), at: []string{"create", "start"}[r.IntN(2)]}
		w.round()
		if w.hit {
			hit++
		}
		if w.hit && w.failed {
			failed++
		}
	}
	t.Logf("%d rounds: %d faults came to pass, %d of them failed the container", made, hit, failed)
}

// wrapped is one round of batten-runc.
type wrapped struct {
	*node.Node
	t     *testing.T
	id    string
	fault fault
	at    string // the subcommand that the fault is for

	bundle      string
	hit, failed bool
	over        bool // the fault's part of the round is
}

// pidFile is one container's alone: a runc that is killed leaves its temporary one
// beside it, on which the next runc fails.
func (w *wrapped) pidFile() string { return filepath.Join(w.Dir, w.id+".pid") }

func (w *wrapped) what() string { return fmt.Sprintf("%s, %s", w.at, w.fault) }

func (w *wrapped) round() {
	w.t.Helper()
	w.bundle = w.Bundle("bundle", w.id, "/probe", "pause")
	err := w.call("create", "--bundle", w.bundle, "--pid-file", w.pidFile())
	endTracers(w.t, w.Node) // the container's own program gets no fault
	if err == nil {
		err = w.call("start")
	}
	endTracers(w.t, w.Node)
	w.failed = err != nil
	if err == nil {
		w.wantRunning()
	}
	checkFiltered(w.t, w.Node, w.what())
	w.checkSpec()
	w.over = true
	err = w.call("delete", "--force")
	for i := 0; i < 10 && err != nil; i++ { // as engines do
		time.Sleep(200 * time.Millisecond)
		err = w.call("delete", "--force")
	}
	if err != nil {
		w.t.Errorf("%s: stuck: %v", w.what(), err)
	}
	checkFiles(w.t, w.Node, w.what())
	w.control()
}

// call calls batten-runc, under the fault if it is for the subcommand.
func (w *wrapped) call(command string, args ...string) error {
	w.t.Helper()
	argv := append([]string{filepath.Join(w.Bin, "batten-runc"), "--root", filepath.Join(w.Dir, "state"), command}, append(args, w.id)...)
	log := filepath.Join(w.Dir, "strace.log")
	if w.at == command && !w.over {
		argv = w.fault.strace(log, argv...)
	}
	inner := w.Command(argv...)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, inner.Args[0], inner.Args[1:]...)
	cmd.Dir, cmd.Env = inner.Dir, inner.Env
	said, err := os.Create(filepath.Join(w.Dir, "said")) // no pipe: the container keeps it
	if err != nil {
		w.t.Fatal(err)
	}
	defer said.Close()
	cmd.Stdout, cmd.Stderr = said, said
	var waiting []string
	cmd.Cancel = func() error {
		waiting = w.runtimes()
		return cmd.Process.Kill()
	}
	err = cmd.Run()
	if ctx.Err() != nil && len(waiting) == 0 {
		w.t.Errorf("%s: %s does not return", w.what(), command)
	} else if ctx.Err() != nil {
		w.t.Logf("%s: runc itself does not return: %q", w.what(), waiting)
	}
	if w.at == command && !w.over {
		w.hit = happened(w.t, log)
	}
	if err != nil {
		text, _ := os.ReadFile(said.Name())
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}

// runtimes are the processes of runc on the node, that the fault may have stopped for
// good: so it does without Batten.
func (w *wrapped) runtimes() (found []string) {
	for _, pid := range w.Others() {
		if comm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); strings.HasPrefix(string(comm), "runc") {
			found = append(found, fmt.Sprintf("%d %s", pid, bytes.TrimSpace(comm)))
		}
	}
	return found
}

// wantRunning: where the caller was told that it runs, it does, and is filtered.
func (w *wrapped) wantRunning() {
	w.t.Helper()
	text, err := os.ReadFile(w.pidFile())
	if err != nil {
		w.t.Errorf("%s: %v", w.what(), err)
		return
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	w.WaitForExecOf(pid)
	if mode, _ := node.Seccomp(pid); mode != "2" {
		w.t.Errorf("%s: started with Seccomp: %s", w.what(), mode)
	}
}

// checkSpec: config.json is whole, and nobody's but Batten's or the engine's.
func (w *wrapped) checkSpec() {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.bundle, "config.json"))
	if err != nil || !json.Valid(data) || !bytes.HasPrefix(data, []byte(`{"ociVersion":"1.0.2"`)) {
		w.t.Errorf("%s: config.json is %s (%v)", w.what(), data, err)
	}
}

// control: the same container without a fault.
func (w *wrapped) control() {
	w.t.Helper()
	again := &wrapped{Node: w.Node, t: w.t, id: w.id + "c", over: true}
	again.bundle = w.Bundle("bundle", again.id, "/probe", "pause")
	if err := again.call("create", "--bundle", again.bundle, "--pid-file", again.pidFile()); err != nil {
		w.t.Errorf("after %s: create: %v", w.what(), err)
	} else if err := again.call("start"); err != nil {
		w.t.Errorf("after %s: start: %v", w.what(), err)
	} else {
		again.wantRunning()
	}
	if err := again.call("delete", "--force"); err != nil {
		w.t.Errorf("after %s: delete: %v", w.what(), err)
	}
}
