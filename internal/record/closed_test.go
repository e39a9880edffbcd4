package record

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"
)

// A block that was put on the processes of a container that runs stays in its record when the
// shim, which does not know of it, writes the record anew; once for each name.
func TestClose(t *testing.T) {
	records := Store{Dir: t.TempDir()}
	rec := &Record{ContainerdNamespace: "test", ID: "c", Pid: 1}
	if err := records.Write(rec); err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"no-keys", "no-bpf", "no-keys"} {
		if err := records.Close("test", "c", Closed{Name: name, Calls: name, Processes: 1 + i}); err != nil {
			t.Fatal(err)
		}
	}
	rec.Reason = "written anew"
	if err := records.Update(rec); err != nil {
		t.Fatal(err)
	}
	got, err := records.Read("test", "c")
	want := []Closed{{Name: "no-bpf", Calls: "no-bpf", Processes: 2}, {Name: "no-keys", Calls: "no-keys", Processes: 4}}
	if err != nil || got.Reason != "written anew" || !slices.Equal(got.Closed, want) {
		t.Errorf("%v: %q, %+v, want %+v", err, got.Reason, got.Closed, want)
	}
	// Between two updates of a shim, which does not know of it.
	if err := errors.Join(records.Close("test", "c", Closed{Name: "later", Calls: "later", Processes: 1}), records.Update(rec)); err != nil {
		t.Fatal(err)
	}
	want = append(want, Closed{Name: "later", Calls: "later", Processes: 1})
	if got, err := records.Read("test", "c"); err != nil || !slices.Equal(got.Closed, want) {
		t.Errorf("%v: %+v, want %+v", err, got.Closed, want)
	}
	if err := records.Remove("test", "c"); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(records.Dir); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
	if err := records.Close("test", "gone", Closed{Name: "no-keys"}); err != nil {
		t.Errorf("of a container that has ended: %v", err)
	}
	if _, err := records.Read("test", "gone"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it has a record now: %v", err)
	}
}

// A shim's updates and what is noted meanwhile lose nothing of each other.
func TestCloseBesideUpdates(t *testing.T) {
	records := Store{Dir: t.TempDir()}
	rec := &Record{ContainerdNamespace: "test", ID: "c", Pid: 1, Attestation: Attestation{State: Pending}}
	if err := records.Write(rec); err != nil {
		t.Fatal(err)
	}
	const times = 50
	done := make(chan error)
	go func() {
		var err error
		for range times {
			rec.Attestation.State = Filtered
			err = errors.Join(err, records.Update(rec))
		}
		done <- err
	}()
	for i := range times {
		if err := records.Close("test", "c", Closed{Name: string(rune('a' + i))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got, err := records.Read("test", "c"); err != nil || len(got.Closed) != times || got.Attestation.State != Filtered {
		t.Errorf("%v: %d blocks, %s", err, len(got.Closed), got.Attestation.State)
	}
}
