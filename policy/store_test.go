package policy_test

import (
	"os"
	"testing"

	"github.com/batten-runtime/batten/policy"
)

func TestStoreReadsChanges(t *testing.T) {
	d := dir(t)
	path := d + "/policy.yaml"
	write(t, path, good)
	write(t, d+"/profiles/a.json", goodProfile)
	var store policy.Store
	get := func() *policy.Policy {
		t.Helper()
		p, findings := store.Get(path)
		if err := findings.Err(); err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := get()
	if again := get(); again != first {
		t.Error("an unchanged policy was read again")
	}
	write(t, d+"/profiles/a.json", goodProfile+"\n")
	second := get()
	if second == first {
		t.Error("a changed profile was not read")
	}
	write(t, path, "version: 1\nabsent: Deny\n")
	if p := get(); p.Absent != policy.Deny {
		t.Errorf("a changed policy was not read: absent is %s", p.Absent)
	}
	write(t, path, "version: 1\nabsent: Dany\n")
	if p, findings := store.Get(path); p != nil || findings.Err() == nil {
		t.Error("a broken policy is answered by the one before")
	}
	write(t, path, good)
	if p := get(); p.Absent != "a" {
		t.Errorf("a repaired policy was not read: absent is %s", p.Absent)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if p, _ := store.Get(path); p != nil {
		t.Error("a removed policy is still answered")
	}
}
