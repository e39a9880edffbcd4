package load

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/shim/enforce"
	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"golang.org/x/sys/unix"
)

const engine = "containerd-2.4"

// TestStorm: containers at a concurrency of 20, with a policy every 100 ms, a kill
// of the daemon every 10 s and of a shim every second.
func TestStorm(t *testing.T) {
	count := node.Often(t, "STORM", 40)
	stock := storm(t, node.Stock, count)
	batten := storm(t, node.Batten, count)
	t.Logf("%d containers each; attempts that failed under the stock shim %d, under Batten %d; %d containers had a policy version that was checked, of %d",
		count, stock.failed.Load(), batten.failed.Load(), batten.checked.Load(), len(batten.versions))
	if batten.checked.Load() < int64(count)/2 {
		t.Errorf("only %d of %d containers could be checked", batten.checked.Load(), count)
	}
	if batten.refused.Load() > 0 {
		t.Errorf("Batten itself refused %d", batten.refused.Load())
	}
}

// weather is one side's storm.
type weather struct {
	*node.Node
	t       *testing.T
	runtime string

	left, failed, checked, refused atomic.Int64

	mu       sync.Mutex
	versions map[unix.Errno]bool // seen in containers
	shims    []int
}

func storm(t *testing.T, runtime string, count int) *weather {
	w := &weather{Node: node.Start(t, engine, node.WithQuietLog(), node.WithLeftovers()), t: t, runtime: runtime, versions: make(map[unix.Errno]bool)}
	w.putPolicy(0)
	w.left.Store(int64(count))
	var workers sync.WaitGroup
	for range 20 {
		workers.Go(func() {
			for w.left.Add(-1) >= 0 {
				for w.container() != nil {
					w.failed.Add(1)
					time.Sleep(100 * time.Millisecond) // the daemon may be away
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { workers.Wait(); close(done) }()
	w.rage(done)
	w.RemoveContainers()
	w.wantNoRecords()
	return w
}

// wantNoRecords: of containers that are gone no record is left. A shim that containerd
// has lost, since it was killed while it started that one, keeps its container, and
// the record with it: with the stock shim it is the same.
func (w *weather) wantNoRecords() {
	records := enforce.Records{Dir: w.Path(enforce.DefaultRecords)}
	list, err := records.List()
	if err != nil {
		w.t.Error(err)
	}
	for _, rec := range list {
		if node.Gone(rec.Pid) == nil {
			w.t.Errorf("a record is left: %+v", rec)
		} else if mode, _ := node.Seccomp(rec.Pid); mode != "2" {
			w.t.Errorf("%s, which containerd has lost, has Seccomp: %s", rec.ID, mode)
		}
	}
}

// rage changes the policy, kills daemon and shims, until the containers are done.
func (w *weather) rage(done chan struct{}) {
	policy, daemon, shim := time.NewTicker(100*time.Millisecond), time.NewTicker(10*time.Second), time.NewTicker(time.Second)
	limit, soon := time.After(20*time.Minute), time.After(3*time.Second)
	for version := 1; ; {
		select {
		case <-done:
			return
		case <-limit:
			w.t.Fatal("the storm does not end: something is stuck")
		case <-policy.C:
			w.putPolicy(version)
			version++
		case <-soon: // in a short storm, too
			w.crash()
		case <-daemon.C:
			w.crash()
		case <-shim.C:
			w.mu.Lock()
			if len(w.shims) > 0 {
				_ = syscall.Kill(w.shims[rand.IntN(len(w.shims))], syscall.SIGKILL)
			}
			w.mu.Unlock()
		}
	}
}

// crash kills the daemon and starts it again.
func (w *weather) crash() {
	w.KillDaemon()
	w.Reload()
}

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
		out[hex.EncodeToString(sum[:])] = errnoOf(version)
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
		if strings.Contains(err.Error(), "batten") {
			w.refused.Add(1)
			w.t.Log(err)
		}
		return err
	}
	defer w.remove(c)
	pid := int(c.Task.Pid())
	if shim := node.ShimOf(pid); shim != 0 {
		w.noteShim(shim)
	}
	if w.runtime == node.Batten {
		w.check(c, pid)
	}
	return nil
}

// check holds what the kernel did to the policy version that the record names.
func (w *weather) check(c *node.Created, pid int) {
	var said string
	for range 200 {
		if said = c.Output(); strings.HasSuffix(said, "\n") {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	rec, err := enforce.Records{Dir: w.Path(enforce.DefaultRecords)}.Read(node.Namespace, c.ID)
	if said == "" || err != nil {
		if node.Gone(pid) == nil || len(said) == 0 {
			return // its shim was killed, and containerd has cleaned up after it
		}
		w.t.Errorf("%s runs without a record: %v", c.ID, err)
		return
	}
	version, known := digests[rec.PolicyDigest]
	if want := "keyctl: " + unix.ErrnoName(version) + "\n"; !known || said != want {
		w.t.Errorf("%s: the record's policy %s has %q, the container said %q", c.ID, rec.PolicyDigest, want, said)
	}
	w.checked.Add(1)
	w.mu.Lock()
	w.versions[version] = true
	w.mu.Unlock()
}

func (w *weather) noteShim(pid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shims = append(w.shims, pid); len(w.shims) > 5 { // older ones are gone
		w.shims = w.shims[1:]
	}
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
