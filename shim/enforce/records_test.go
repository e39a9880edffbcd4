package enforce_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
)

func TestRecordOf(t *testing.T) {
	log := filepath.Join(t.TempDir(), "decisions.jsonl")
	e := enforcer(t, "version: 1\nlog: "+log+"\nrules: [{name: r, match: {pod: {namespace: [ns]}}, present: RuntimeDefault}]")
	spec := strings.Replace(brings, `"process": {}`, `"annotations": {"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-namespace": "ns", "io.kubernetes.cri.sandbox-name": "pod", "io.kubernetes.cri.container-name": "main", "io.kubernetes.cri.image-name": "img"}`, 1)
	c := container(bundle(t, spec))
	c.ContainerdNamespace = "k8s.io"
	if _, err := e.Prepare(c); err != nil {
		t.Fatal(err)
	}
	rec, err := e.Records.Read("k8s.io", "c1")
	if err != nil {
		t.Fatal(err)
	}
	if rec.Rule != "r" || rec.PodName != "pod" || rec.Container != "main" || rec.Image != "img" || rec.Kind != "Container" ||
		rec.Verdict != policy.Replace || rec.Word != "RuntimeDefault" || rec.Policy != "/etc/p.yaml" || len(rec.PolicyDigest) != len("sha256:")+64 ||
		!strings.HasPrefix(rec.Asked, "sha256:") || rec.Asked == rec.Result || !rec.Time.Equal(e.Now()) {
		t.Errorf("got %+v", rec)
	}
	line, err := os.ReadFile(log)
	if err != nil || !strings.Contains(string(line), `"rule":"r"`) || strings.Count(string(line), "\n") != 1 {
		t.Errorf("the log holds %s (%v)", line, err)
	}
	info, err := os.Stat(filepath.Join(e.Records.Dir, "k8s.io", "c1.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the record's mode is %v (%v)", info.Mode(), err)
	}
}

// The record says what was put under what, by digests, and a second container
// that asks for the same finds it computed.
func TestRecordOfFloor(t *testing.T) {
	e := enforcer(t, noKeyring+"floor: no-keyring")
	var first *record.Record
	for _, id := range []string{"c1", "c2"} {
		c := container(bundle(t, allowsKeyctl))
		c.ID = id
		if _, err := e.Prepare(c); err != nil {
			t.Fatal(err)
		}
		rec, err := e.Records.Read("default", id)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = rec
		}
		if rec.Verdict != policy.Tighten || rec.Base != "Keep" || rec.BaseDigest != rec.Asked || rec.Floor != "no-keyring" ||
			!strings.HasPrefix(rec.FloorDigest, "sha256:") || rec.Result == rec.Asked || rec.Result != first.Result {
			t.Errorf("%s: %+v", id, rec)
		}
	}
}

// Where the floor is all that is put in place, the record has it as the floor.
func TestRecordOfFloorAlone(t *testing.T) {
	e := enforcer(t, noKeyring+"absent: Unconfined\nfloor: no-keyring")
	p, err := e.Prepare(container(bundle(t, unset)))
	if err != nil {
		t.Fatal(err)
	}
	if rec := p.Record; rec.Floor != "no-keyring" || !strings.HasPrefix(rec.FloorDigest, "sha256:") || rec.BaseDigest != "" || rec.Result == record.None {
		t.Errorf("got %+v", rec)
	}
}

func TestRecords(t *testing.T) {
	r := record.Store{Dir: t.TempDir()}
	for _, name := range []string{"", ".", "..", "a/b", "../x"} {
		if err := r.Write(&record.Record{ContainerdNamespace: "ns", ID: name}); err == nil {
			t.Errorf("id %q is taken", name)
		}
		if err := r.Write(&record.Record{ContainerdNamespace: name, ID: "c"}); err == nil {
			t.Errorf("containerd namespace %q is taken", name)
		}
	}
	for _, rec := range []*record.Record{
		{ContainerdNamespace: "b", ID: "2", Bundle: "/"},
		{ContainerdNamespace: "a", ID: "1", Bundle: "/"},
		{ContainerdNamespace: "a", ID: "gone", Pid: 1 << 30, StartTime: 7},
	} {
		if err := r.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	list, err := r.List()
	if err != nil || len(list) != 2 || list[0].ID != "1" || list[1].ID != "2" {
		t.Errorf("got %d records (%v)", len(list), err)
	}
	if _, err := r.Read("a", "gone"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the record of a process that is gone stays (%v)", err)
	}
	for range 2 {
		if err := r.Remove("b", "2"); err != nil {
			t.Error(err)
		}
	}
	if entries, _ := os.ReadDir(r.Dir); len(entries) != 1 {
		t.Errorf("left: %v", entries)
	}
}
