package enforce

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

	"github.com/batten-runtime/batten/internal/atomicfile"
	"github.com/batten-runtime/batten/internal/live"
	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
)

// The filter of each container's first process, and of each exec, is compared with the
// profile of the record: it could be another profile's, out of a runtime's cache or of a config.json
// that somebody has changed since Batten wrote it, or lack rules that the runtime has
// passed over. Reading the filter takes less than a millisecond. What was found of a filter
// and a profile is kept below the records for as long as these are, so that only the
// first container of a profile pays for comparing them.

// readLimit is how long a process has to stop. One that does not is asked again after
// a while.
const readLimit = 200 * time.Millisecond

var readPauses = []time.Duration{0, time.Second, 5 * time.Second}

// comparedDir holds a file for each filter that was found as strict as a profile. Its
// name is a digest of both, its text a note.
const comparedDir = "compared"

// maxCompared bounds the files of comparedDir: beyond it they are all forgotten.
const maxCompared = 1000

// differs is the error for a filter that is looser than its profile.
type differs struct{ reason string }

func (d *differs) Error() string { return d.reason }

// compare compares the filter that the first process of a record has. A is what is
// known of it, and returned with what was found. Waiting is called if that takes time.
func (e *Enforcer) compare(ctx context.Context, rec *record.Record, a record.Attestation, waiting func(record.Attestation)) record.Attestation {
	if rec.Restored {
		a.Compared, a.Detail = record.NotCompared, "the filter came out of the checkpoint"
		return a
	}
	for i, pause := range readPauses {
		if i == 1 {
			waiting(a)
		}
		select {
		case <-ctx.Done():
			return a
		case <-time.After(pause):
		}
		note, err := e.compareNow(rec, rec.Pid, rec.StartTime)
		if a = compared(a, rec.Pid, note, err); !errors.Is(err, live.ErrRuns) {
			break
		}
	}
	return a
}

// compared returns a with what came of comparing.
func compared(a record.Attestation, pid int, note string, err error) record.Attestation {
	var d *differs
	switch {
	case errors.As(err, &d):
		a.State, a.Compared, a.Detail = record.Failed, record.Looser, d.reason
	case err != nil:
		a.Compared, a.Detail = record.NotCompared, fmt.Sprintf("process %d %v", pid, err)
	default:
		a.Compared, a.Detail = record.AsStrict, note
	}
	return a
}

// early is the comparison of a container that has not started.
type early struct {
	cancel context.CancelFunc
	done   chan struct{}
	found  *record.Attestation // valid when done is closed; nil where there was no filter
}

// earlyLimit is how long a filter is waited for before start.
const earlyLimit = 5 * time.Second

// compareEarly looks until stop is called, or earlyLimit is over, or a filter was there.
func (e *Enforcer) compareEarly(rec *record.Record) *early {
	ctx, cancel := context.WithTimeout(context.Background(), earlyLimit)
	r := &early{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
			a, err := e.compareIfThere(rec)
			if r.found = a; a != nil || err != nil {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		}
	}()
	return r
}

// compareIfThere compares the filter of the first process; it returns nil where there is
// none yet.
func (e *Enforcer) compareIfThere(rec *record.Record) (*record.Attestation, error) {
	own, err := procfs.SelfStatus()
	if err != nil {
		return nil, err
	}
	p, err := procfs.StatusOf(rec.Pid)
	if err != nil || !filteredBeyond(p, own) {
		return nil, err
	}
	note, err := e.compareNow(rec, rec.Pid, rec.StartTime)
	a := compared(record.Attestation{State: record.Filtered, Filters: p.Filters}, rec.Pid, note, err)
	return &a, nil
}

func (r *early) stop() {
	r.cancel()
	<-r.done
}

// compareNow reads the filters of a process of a container, which began at start, and
// compares them. A runtime, or what wraps it, may have installed further ones, and so
// may the program: one that is as strict as the profile makes the process so.
func (e *Enforcer) compareNow(rec *record.Record, pid int, start uint64) (note string, err error) {
	filters, err := live.Read(pid, readLimit)
	if err != nil {
		return "", err
	}
	if procfs.StartTime(pid) != start || len(filters) == 0 {
		return "", live.ErrGone
	}
	var first error
	for _, f := range filters {
		note, err := e.compareFilter(rec, f.Instructions)
		if err == nil {
			return note, nil
		}
		if first == nil {
			first = err
		}
	}
	return "", first
}

// compareFilter compares one filter with the profile of a record, or remembers that it
// was.
func (e *Enforcer) compareFilter(rec *record.Record, code []bpf.Instruction) (note string, err error) {
	path := filepath.Join(e.Records.Dir, comparedDir, pairOf(given(rec), code))
	if text, err := atomicfile.ReadRoots(path); err == nil {
		return string(text), nil
	}
	s, err := written(rec)
	if err != nil {
		return "", err
	}
	if note, err = e.judge(rec, s, code); err != nil {
		return "", err
	}
	dir := filepath.Dir(path)
	if entries, err := os.ReadDir(dir); err == nil && len(entries) >= maxCompared {
		_ = os.RemoveAll(dir)
	}
	_ = atomicfile.Write(path, []byte(note)) // else the next container compares again
	return note, nil
}

// judge compares a filter with a linux.seccomp. The note says what is different and not
// looser.
func (e *Enforcer) judge(rec *record.Record, s []byte, code []bpf.Instruction) (note string, err error) {
	own, err := profile.Decode(s)
	if err != nil || own == nil {
		return "", fmt.Errorf("has a profile that cannot be read: %w", err)
	}
	program, err := bpf.Check(code)
	if err != nil {
		return "", fmt.Errorf("has a filter that cannot be compared: %w", err)
	}
	c, err := semantics.CompareLive(own, program)
	if err != nil {
		return "", fmt.Errorf("has a profile that cannot be compared: %w", err)
	}
	if c.Looser != nil {
		return "", &differs{"its filter is looser than its profile: " + c.Looser.String()}
	}
	if len(c.Skipped) == 0 {
		return "", nil
	}
	names := strings.Join(c.Skipped, ", ")
	if rec.Verdict == policy.Replace {
		skips := syscalls.Runtime{Path: rec.OCIRuntime, Lacks: c.Skipped}
		demanded, err := semantics.Skipped(own, own, skips, e.Machine.Calls)
		if err == nil && len(demanded) > 0 {
			return "", &differs{fmt.Sprintf("%s has skipped what its profile says of %s, whose names it does not know", rec.OCIRuntime, strings.Join(demanded, ", "))}
		}
	}
	return fmt.Sprintf("%s does not know %s, and skips what its profile says of them", rec.OCIRuntime, names), nil
}

// pairOf names a profile and a filter together.
func pairOf(result string, code []bpf.Instruction) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s %d\n", result, len(code))
	_, _ = h.Write(bpf.Encode(code))
	return hex.EncodeToString(h.Sum(nil))
}
