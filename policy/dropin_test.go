package policy_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy"
)

const goodDropIn = "version: 1\nmandatoryFloors: [a]\nprofiles: {a: {file: a.json}}\n"

// dropInCases are drop-ins beside a policy.
var dropInCases = []struct {
	name  string
	spoil func(d string) error // d is the directory of the drop-ins
	want  string               // DIR stands for it; empty: no error
}{
	{name: "as it is", spoil: func(string) error { return nil }},
	{name: "none", spoil: func(d string) error { return os.RemoveAll(d) }},
	{name: "a file of another name", spoil: func(d string) error { return os.WriteFile(d+"/README", []byte("x"), 0o644) }},
	{
		name: "it loosens", spoil: func(d string) error {
			return os.WriteFile(d+"/20.yaml", []byte("version: 1\nabsent: Unconfined\nmandatoryFloors: [RuntimeDefault]\n"), 0o644)
		},
		want: `drop-in "DIR/20.yaml":2:9: absent: a drop-in can only tighten: it holds mandatoryFloors, except and profiles, and absent is the policy's`,
	},
	{
		name: "a rule", spoil: func(d string) error {
			return os.WriteFile(d+"/20.yaml", []byte("version: 1\nrules: []\nmandatoryFloors: [RuntimeDefault]\n"), 0o644)
		},
		want: `drop-in "DIR/20.yaml":2:8: rules: a drop-in can only tighten: it holds mandatoryFloors, except and profiles, and rules is the policy's`,
	},
	{
		name: "an unknown key", spoil: func(d string) error {
			return os.WriteFile(d+"/20.yaml", []byte("version: 1\nmandatoryFloor: [a]\n"), 0o644)
		},
		want: `drop-in "DIR/20.yaml":2:1: unknown key "mandatoryFloor"; did you mean "mandatoryFloors"?
drop-in "DIR/20.yaml":1:1: mandatoryFloors is missing; a drop-in without it does nothing`,
	},
	{
		name: "another's profile", spoil: func(d string) error {
			return os.WriteFile(d+"/20.yaml", []byte("version: 1\nmandatoryFloors: [a]\n"), 0o644)
		},
		want: `drop-in "DIR/20.yaml":2:19: mandatoryFloors[0]: unknown profile "a", want RuntimeDefault or the name of a profile`,
	},
	{
		name: "it leaves some out", spoil: func(d string) error {
			return os.WriteFile(d+"/20.yaml", []byte("version: 1\nmandatoryFloors: [RuntimeDefault]\nexcept: [{pod: {namespace: [db]}}, {mounts: [/dev]}]\n"), 0o644)
		},
	},
	{
		name: "it leaves all out", spoil: func(d string) error {
			return os.WriteFile(d+"/20.yaml", []byte("version: 1\nmandatoryFloors: [RuntimeDefault]\nexcept: [{}]\n"), 0o644)
		},
		want: `drop-in "DIR/20.yaml":3:10: except[0]: leaves out every container; remove the drop-in where that is meant`,
	},
	{
		name: "it leaves none out", spoil: func(d string) error {
			return os.WriteFile(d+"/20.yaml", []byte("version: 1\nmandatoryFloors: [RuntimeDefault]\nexcept: []\n"), 0o644)
		},
		want: `drop-in "DIR/20.yaml":3:9: except: is an empty list, which leaves out nothing; leave the key out`,
	},
	{
		name: "it leaves out by annotations", spoil: func(d string) error {
			return os.WriteFile(d+"/20.yaml", []byte("version: 1\nmandatoryFloors: [RuntimeDefault]\nexcept: [{annotations: {a: [b]}}]\n"), 0o644)
		},
		want: `drop-in "DIR/20.yaml":3:24: except[0].annotations: annotations are the word of the pod's author, who must not decide what is demanded of every container; match pod, container or image`,
	},
	{
		name: "empty", spoil: func(d string) error { return os.WriteFile(d+"/20.yaml", nil, 0o644) },
		want: `drop-in "DIR/20.yaml": the file is empty, or has only comments; remove it, or write at least "version: 1"`,
	},
	{
		name: "others may change it", spoil: func(d string) error { return os.Chmod(d+"/10.yaml", 0o666) },
		want: `drop-in "DIR/10.yaml": has mode 0666; others than root can change it: chmod go-w DIR/10.yaml`,
	},
	{
		name: "others may remove it", spoil: func(d string) error { return os.Chmod(d, 0o777) },
		want: `drop-in "DIR": has mode 0777; others than root can change it: chmod go-w DIR`,
	},
	{
		name: "its profile is gone", spoil: func(d string) error { return os.Remove(d + "/a.json") },
		want: `drop-in "DIR/10.yaml":3:22: profiles.a.file: profile "DIR/a.json": no such file or directory`,
	},
	{
		name: "a link to nothing", spoil: func(d string) error { return os.Symlink("nowhere", d+"/20.yaml") },
		want: `drop-in "DIR/20.yaml": is a symbolic link to nothing`,
	},
	{
		name: "a directory", spoil: func(d string) error { return os.Mkdir(d+"/20.yaml", 0o755) },
		want: `drop-in "DIR/20.yaml": is not a regular file`,
	},
	{
		name: "no directory", spoil: func(d string) error { return errors.Join(os.RemoveAll(d), os.WriteFile(d, nil, 0o644)) },
		want: `drop-in "DIR": not a directory`,
	},
}

// A drop-in can only tighten, is trusted as the policy is, and refuses if it is broken.
func TestDropIns(t *testing.T) {
	for _, tt := range dropInCases {
		t.Run(tt.name, func(t *testing.T) {
			d := dir(t)
			ins := d + "/policy.d"
			write(t, d+"/policy.yaml", "version: 1\nabsent: Unconfined\n")
			write(t, ins+"/10.yaml", goodDropIn)
			write(t, ins+"/a.json", goodProfile)
			if err := tt.spoil(ins); err != nil {
				t.Fatal(err)
			}
			p, findings := policy.Loader{DropIns: ins}.Load(d + "/policy.yaml")
			got := ""
			if err := findings.Err(); err != nil {
				got = strings.ReplaceAll(err.Error(), ins, "DIR")
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if (p == nil) != (tt.want != "") {
				t.Errorf("the policy is %v", p)
			}
		})
	}
}

// The store reads the drop-ins again when one is added, changed or removed.
func TestStoreReadsDropIns(t *testing.T) {
	d := dir(t)
	ins := d + "/policy.d"
	write(t, d+"/policy.yaml", "version: 1\nabsent: Unconfined\n")
	store := policy.Store{Loader: policy.Loader{DropIns: ins}}
	mandatory := func() string {
		t.Helper()
		p, findings := store.Get(d + "/policy.yaml")
		if err := findings.Err(); err != nil {
			return "error"
		}
		if again, _ := store.Get(d + "/policy.yaml"); again != p {
			t.Error("an unchanged policy was read again")
		}
		var out []string
		for _, m := range p.Mandatory {
			out = append(out, filepath.Base(m.File)+":"+m.Name)
		}
		if len(p.DropIns) > 0 && len(p.DropIns[0].Digest) != 64 {
			t.Errorf("drop-ins %v", p.DropIns)
		}
		return strings.Join(out, " ")
	}
	expect := func(when, want string) {
		t.Helper()
		if got := mandatory(); got != want {
			t.Errorf("%s: got %q, want %q", when, got, want)
		}
	}
	expect("without the directory", "")
	write(t, ins+"/10.yaml", goodDropIn)
	expect("its profile is missing", "error")
	write(t, ins+"/a.json", goodProfile)
	expect("added", "10.yaml:a")
	write(t, ins+"/05.yaml", strings.ReplaceAll(goodDropIn, "[a]", "[a, RuntimeDefault]"))
	expect("a second", "05.yaml:a 05.yaml:RuntimeDefault 10.yaml:a")
	write(t, ins+"/05.yaml", "version: 1\nmode: Audit\n")
	expect("broken", "error")
	if err := os.Remove(ins + "/05.yaml"); err != nil {
		t.Fatal(err)
	}
	expect("removed", "10.yaml:a")
	if err := os.RemoveAll(ins); err != nil {
		t.Fatal(err)
	}
	expect("all gone", "")
}
