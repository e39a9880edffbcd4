package load

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"golang.org/x/sys/unix"
)

const engine = "containerd-2.4"

// TestStorm: containers by the client at a concurrency of 20, with a policy every
// 100 ms, a kill of the daemon every 30 s and of a shim every second.
func TestStorm(t *testing.T) {
	compare(t, node.Often(t, "STORM", 40), 20, (*weather).container)
}

// TestPods: the same of pods, by CRI.
func TestPods(t *testing.T) {
	compare(t, node.Often(t, "PODS", 10), 10, (*weather).pod)
}

// compare puts both shims through a storm.
func compare(t *testing.T, count, workers int, life func(*weather) error) {
	stock := storm(t, node.Stock, count, workers, life)
	batten := storm(t, node.Batten, count, workers, life)
	t.Logf("stock: %v", stock)
	t.Logf("Batten: %v; %d were held to the policy of their record, of %d versions", batten, batten.checked.Load(), len(batten.versions))
	if batten.checked.Load() < int64(count)/2 {
		t.Errorf("only %d of %d could be checked", batten.checked.Load(), count)
	}
	if stock.lived.Load() != int64(count) || batten.lived.Load() != int64(count) {
		t.Errorf("%d of stock's and %d of Batten's lived, want %d each", stock.lived.Load(), batten.lived.Load(), count)
	}
	// The kills fall at random. Twice as many failures and a few more are no accident.
	if most := 2*stock.failed() + 20; batten.failed() > most {
		t.Errorf("%d attempts failed with Batten, want at most %d, since %d did with the stock shim",
			batten.failed(), most, stock.failed())
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

	left, lived, checked, refused atomic.Int64
	daemons, shimKills            int
	away                          atomic.Bool // the daemon is

	mu       sync.Mutex
	failures map[string]int
	versions map[unix.Errno]bool // seen in containers
	shims    []int
}

// failed is how many attempts failed.
func (w *weather) failed() (n int) {
	for _, count := range w.failures {
		n += count
	}
	return n
}

// String is what the storm did, and what came of it.
func (w *weather) String() string {
	kinds := ""
	for _, kind := range slices.Sorted(maps.Keys(w.failures)) {
		kinds += fmt.Sprintf(", %d %s", w.failures[kind], kind)
	}
	return fmt.Sprintf("%d lived, %d attempts failed (%s) while the daemon was killed %d times and a shim %d times",
		w.lived.Load(), w.failed(), strings.TrimPrefix(kinds, ", "), w.daemons, w.shimKills)
}

func storm(t *testing.T, runtime string, count, workers int, life func(*weather) error) *weather {
	n := node.Start(t, engine, node.WithQuietLog(), node.WithLeftovers(),
		node.WithHandlers(node.Handler{Name: "runc", Type: node.Stock}, node.Handler{Name: "storm", Type: runtime}))
	w := &weather{Node: n, t: t, runtime: runtime, versions: make(map[unix.Errno]bool), failures: make(map[string]int)}
	w.putPolicy(0)
	w.left.Store(int64(count))
	var crowd sync.WaitGroup
	for range workers {
		crowd.Go(func() {
			for w.left.Add(-1) >= 0 {
				for err := life(w); err != nil; err = life(w) {
					w.fail(err)
				}
				w.lived.Add(1)
			}
		})
	}
	done := make(chan struct{})
	go func() { crowd.Wait(); close(done) }()
	w.rage(done)
	w.RemoveContainers()
	w.wantNoRecords()
	return w
}

// fail counts an attempt that failed, by what its error says, and waits for the
// daemon: there is no attempt while it is away.
func (w *weather) fail(err error) {
	kind := "of another kind"
	switch text := err.Error(); {
	case strings.Contains(text, "batten: "):
		w.refused.Add(1)
		w.t.Log(err)
		kind = "refused"
	case w.away.Load(), strings.Contains(text, "navailable"), strings.Contains(text, "transport"), strings.Contains(text, "connection"), strings.Contains(text, "EOF"):
		kind = "for the daemon"
	case strings.Contains(text, "ttrpc"), strings.Contains(text, "shim"), strings.Contains(text, "not found"):
		kind = "for the shim"
	default:
		w.t.Logf("an attempt failed: %v", err)
	}
	w.mu.Lock()
	w.failures[kind]++
	w.mu.Unlock()
	for time.Sleep(20 * time.Millisecond); w.away.Load(); time.Sleep(20 * time.Millisecond) {
	}
}

// rage changes the policy, kills daemon and shims, until the containers are done.
func (w *weather) rage(done chan struct{}) {
	policy, daemon, shim := time.NewTicker(100*time.Millisecond), time.NewTicker(30*time.Second), time.NewTicker(time.Second)
	limit, soon := time.After(40*time.Minute), time.After(time.Second)
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
			w.killShim()
		}
	}
}

// crash kills the daemon and starts it again.
func (w *weather) crash() {
	w.daemons++
	w.away.Store(true)
	w.KillDaemon()
	w.Reload()
	w.away.Store(false)
}

// killShim kills one of the shims that were seen last.
func (w *weather) killShim() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.shims) > 0 {
		w.shimKills++
		_ = syscall.Kill(w.shims[rand.IntN(len(w.shims))], syscall.SIGKILL)
	}
}

// noteShim remembers the shim of a container's process as one to kill.
func (w *weather) noteShim(pid int) {
	shim := node.ShimOf(pid)
	if shim == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shims = append(w.shims, shim); len(w.shims) > 5 { // older ones are gone
		w.shims = w.shims[1:]
	}
}
