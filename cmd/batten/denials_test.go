package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/record"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// lockedBuffer is a buffer that is read while another goroutine writes.
type lockedBuffer struct {
	mu  sync.Mutex
	out bytes.Buffer // guarded by mu
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.String()
}

// --follow prints what there is, then each new call, and ends without an error.
func TestFollow(t *testing.T) {
	for _, tt := range []struct {
		name   string
		asJSON bool
		first  string
		second string
	}{
		{
			name:   "lines",
			first:  "2026-11-25T10:00:00Z test/c1: keyctl(KEYCTL_READ, …) EPERM, 2 new of 2, by app[7]\n",
			second: "2026-11-25T10:00:00Z test/c1: keyctl(KEYCTL_READ, …) EPERM, 3 new of 5, by app[7]\n",
		},
		{name: "JSON", asJSON: true, first: `"count":2`, second: `"count":5`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			writeText(t, filepath.Join(dir, "test/c1.json"), `{"containerdNamespace":"test","id":"c1","bundle":"/","denials":{"answer":"Denied"},"attestation":{"state":"Filtered"}}`)
			writeText(t, filepath.Join(dir, "test/c2.json"), `{"containerdNamespace":"test","id":"c2","bundle":"/","denials":{"not":"nobody listens"},"attestation":{"state":"Filtered"}}`)
			write := func(count uint64) {
				at := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
				err := denials.Store{Dir: dir}.Write(&denials.Counts{Owner: "test", ID: "c1", Answer: record.Denied, Denials: []denials.Denial{{
					Kind:  denials.Kind{Arch: specs.ArchX86_64, Syscall: "keyctl", Action: specs.ActErrno, Errno: 1},
					Count: count, First: at, Last: at, Sample: denials.Sample{Pid: 7, Comm: "app", Args: [6]uint64{11}},
				}}})
				if err != nil {
					t.Fatal(err)
				}
			}
			write(2)
			var out, warn lockedBuffer
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				done <- (&follower{denied: &denied{dir: dir}, asJSON: tt.asJSON, out: &out, warn: &warn}).run(ctx)
			}()
			until(t, func() bool { return strings.Contains(out.String(), tt.first) })
			write(5)
			until(t, func() bool { return strings.Contains(out.String(), tt.second) })
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if got, want := warn.String(), "test/c2: not observed: nobody listens\n"; got != want {
				t.Errorf("warned %q, want %q", got, want)
			}
			if n := strings.Count(out.String(), "\n"); n != 2 {
				t.Errorf("%d lines: %s", n, out.String())
			}
		})
	}
}

// until waits for a condition.
func until(t *testing.T, what func() bool) {
	t.Helper()
	for range 6000 {
		if what() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it does not come about")
}

// --follow ends when nobody reads what it prints, as in batten denials --follow | head -1.
func TestFollowUnread(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	done := make(chan error, 1)
	go func() {
		done <- (&follower{denied: &denied{dir: t.TempDir()}, out: write, warn: io.Discard}).run(ctx)
	}()
	select {
	case err := <-done:
		t.Fatalf("it ends while somebody reads: %v", err)
	case <-time.After(2 * again):
	}
	read.Close()
	if err := <-done; err != nil || ctx.Err() != nil {
		t.Errorf("%v, %v", err, ctx.Err())
	}
}
