package load

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"golang.org/x/sys/unix"
)

// errnoOf is what a version of the policy has the forbidden call fail with.
func errnoOf(version int) unix.Errno { return unix.Errno(59 + version%36) }

// policyOf is a version of the policy.
func policyOf(version int) string {
	return fmt.Sprintf(`version: 1
absent: one
profiles: {one: {inline: {defaultAction: SCMP_ACT_ALLOW, architectures: [SCMP_ARCH_X86_64, SCMP_ARCH_X86], syscalls: [{names: [keyctl], action: SCMP_ACT_ERRNO, errnoRet: %d}]}}}
`, errnoOf(version))
}

// digests are the versions by the digest that a record has.
var digests = func() map[string]unix.Errno {
	out := make(map[string]unix.Errno)
	for version := range 36 {
		sum := sha256.Sum256([]byte(policyOf(version)))
		out["sha256:"+hex.EncodeToString(sum[:])] = errnoOf(version)
	}
	return out
}()

func (w *weather) putPolicy(version int) {
	path := filepath.Join(w.Etc, "policy.yaml")
	if err := errors.Join(os.WriteFile(path+".new", []byte(policyOf(version)), 0o644), os.Rename(path+".new", path)); err != nil {
		w.t.Error(err)
	}
}

// container is the life of one. What it finds wrong fails the test; what the
// weather does to it is an error.
func (w *weather) container() error {
	c, err := w.Start(node.Run{Runtime: w.runtime, Args: []string{"/probe", "call", "keyctl", "--", "pause"}})
	if err != nil {
		return err
	}
	defer w.remove(c)
	pid := int(c.Task.Pid())
	w.noteShim(pid)
	if w.runtime != node.Batten {
		return nil
	}
	var said string
	for range 200 {
		if said = c.Output(); strings.HasSuffix(said, "\n") || node.Gone(pid) == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.check(node.Namespace, c.ID, pid, said)
	return nil
}

// pod is the life of one with one container.
func (w *weather) pod() error {
	p, err := w.RunPod("storm", "default", fmt.Sprintf("p%d", w.left.Load()), nil)
	if p != nil {
		defer p.Drop()
	}
	if err != nil {
		return err
	}
	id, err := p.Run("c", nil)
	if err != nil {
		return err
	}
	pid, err := p.Pid(id)
	if err != nil {
		return err
	}
	w.noteShim(pid)
	said, err := p.Exec(id, "/probe", "call", "keyctl")
	if err == nil && w.runtime == node.Batten {
		w.check("k8s.io", id, pid, said)
	}
	return err
}

// check holds what the kernel did to the policy version that the record names.
func (w *weather) check(namespace, id string, pid int, said string) {
	rec, err := record.Store{Dir: w.Path(names.Records)}.Read(namespace, id)
	if said == "" || err != nil && node.Gone(pid) == nil {
		return // its shim was killed, with what it had to say, and containerd cleans up
	}
	if err != nil {
		w.t.Errorf("%s runs without a record: %v", id, err)
		return
	}
	version, known := digests[rec.PolicyDigest]
	if want := "keyctl: " + unix.ErrnoName(version) + "\n"; !known || said != want {
		w.t.Errorf("%s: the record's policy %s has %q, the container said %q", id, rec.PolicyDigest, want, said)
	}
	w.checked.Add(1)
	w.mu.Lock()
	w.versions[version] = true
	w.mu.Unlock()
}

// remove deletes a container if the weather allows it; the rest goes at the end.
func (w *weather) remove(c *node.Created) {
	ctx, cancel := context.WithTimeout(namespaces.WithNamespace(context.Background(), node.Namespace), 30*time.Second)
	defer cancel()
	container, err := w.Client.LoadContainer(ctx, c.ID)
	if err != nil {
		return
	}
	if task, err := container.Task(ctx, nil); err == nil {
		_, _ = task.Delete(ctx, containerd.WithProcessKill)
	}
	_ = container.Delete(ctx, containerd.WithSnapshotCleanup)
}

// wantNoRecords: of containers that are gone no record is left. A shim that containerd
// has lost, since it was killed while it started that one, keeps its container, and
// the record with it: with the stock shim it is the same.
func (w *weather) wantNoRecords() {
	var left []*record.Record
	for range 100 { // a process that was killed just now may end after its record is looked at
		if left = w.lost(); len(left) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	for _, rec := range left {
		w.t.Errorf("a record is left: %+v", rec)
	}
}

// lost returns the records of processes that are gone. Those of processes that are there
// must be filtered.
func (w *weather) lost() (left []*record.Record) {
	list, err := record.Store{Dir: w.Path(names.Records)}.List()
	if err != nil {
		w.t.Error(err)
	}
	for _, rec := range list {
		if node.Gone(rec.Pid) == nil {
			left = append(left, rec)
		} else if mode, _ := node.Seccomp(rec.Pid); mode != "2" && node.Gone(rec.Pid) != nil {
			w.t.Errorf("%s, which containerd has lost, has Seccomp: %s", rec.ID, mode)
		}
	}
	return left
}
