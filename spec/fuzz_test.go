package spec_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/batten-runtime/batten/spec"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// FuzzSplice holds the splice to what encoding/json, which runc reads specs
// with, makes of the result: everything as before, but for linux.seccomp.
func FuzzSplice(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"linux":null}`, `{"linux":{}}`, `{"linux":{"seccomp":null}}`,
		`{"ociVersion":"1.2.0","process":{"args":["a"],"capabilities":{"bounding":["CAP_CHOWN"]}},"linux":{"seccomp":{"defaultAction":"SCMP_ACT_ALLOW"},"resources":{}},"annotations":{"a":"b"}}`,
		`{"root":{"path":"/"},"mounts":[null,{"type":"bind","source":"/a","options":["ro"]}],"hooks":{"prestart":[{"path":"/a","args":["b"]},null],"poststop":null},"linux":{"namespaces":[{"type":"pid","path":"/x"},null]}}`,
		`{"":{"linux":{}},"linux.seccomp":1,"Linux":{}}`, `{"\u006cinux":{"secco\u006dp":{}}}`,
		`{"linux":{"seccomp":{},"seccomp":{}}}`, "{\"li\xffnux\":{}}", `{"linuſ":{}}`,
	} {
		f.Add([]byte(seed))
	}
	if example, err := os.ReadFile("testdata/config.json"); err == nil {
		f.Add(example)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := spec.Parse(data)
		if err != nil {
			return
		}
		checkView(t, data, s)
		got := s.Splice([]byte(newSeccomp))
		checkAsRuncReads(t, data, got)
		again, err := spec.Parse(got)
		if err != nil {
			t.Fatalf("the result does not parse: %v\n%s", err, got)
		}
		if twice := again.Splice([]byte(newSeccomp)); !bytes.Equal(twice, got) {
			t.Fatalf("not idempotent:\n%s\n%s", got, twice)
		}
	})
}

// checkView holds what a decision is made by to what runc reads: the same
// annotations, bounding set and filter, or neither reads it.
func checkView(t *testing.T, data []byte, s *spec.Spec) {
	t.Helper()
	var want specs.Spec
	if json.NewDecoder(bytes.NewReader(data)).Decode(&want) != nil {
		return // runc would not read it
	}
	var bounding []string
	var noNewPrivileges bool
	if want.Process != nil {
		noNewPrivileges = want.Process.NoNewPrivileges
		if want.Process.Capabilities != nil {
			bounding = want.Process.Capabilities.Bounding
		}
	}
	if !maps.Equal(s.Annotations, want.Annotations) || !slices.Equal(s.Bounding, bounding) || s.NoNewPrivileges != noNewPrivileges {
		t.Fatalf("view %+v\nrunc reads annotations %q, bounding %q, noNewPrivileges %v", s.View, want.Annotations, bounding, noNewPrivileges)
	}
	checkOutside(t, s, &want)
	var got *specs.LinuxSeccomp
	if s.Seccomp != nil {
		if err := json.Unmarshal(s.Seccomp, &got); err != nil {
			t.Fatalf("runc reads linux.seccomp, and here it is an error: %v", err)
		}
	}
	var filter *specs.LinuxSeccomp
	if want.Linux != nil {
		filter = want.Linux.Seccomp
	}
	if !reflect.DeepEqual(got, filter) {
		t.Fatalf("view of linux.seccomp %s\nrunc reads %+v", s.Seccomp, filter)
	}
}

// checkOutside holds what reaches out of the container to what runc reads.
func checkOutside(t *testing.T, s *spec.Spec, want *specs.Spec) {
	t.Helper()
	root := ""
	if want.Root != nil {
		root = want.Root.Path
	}
	var mounts []spec.Mount
	for _, m := range want.Mounts {
		mounts = append(mounts, spec.Mount{Type: m.Type, Source: m.Source, Options: m.Options})
	}
	var namespaces []spec.Namespace
	if want.Linux != nil {
		for _, n := range want.Linux.Namespaces {
			namespaces = append(namespaces, spec.Namespace{Type: string(n.Type), Path: n.Path})
		}
	}
	hooks := make(map[string][]spec.Hook)
	if want.Hooks != nil {
		for kind, list := range map[string][]specs.Hook{
			//lint:ignore SA1019 runtimes run them still
			"prestart":      want.Hooks.Prestart,
			"createRuntime": want.Hooks.CreateRuntime, "createContainer": want.Hooks.CreateContainer,
			"startContainer": want.Hooks.StartContainer, "poststart": want.Hooks.Poststart, "poststop": want.Hooks.Poststop,
		} {
			for _, h := range list {
				hooks[kind] = append(hooks[kind], spec.Hook{Kind: kind, Path: h.Path, Args: h.Args})
			}
		}
	}
	got := make(map[string][]spec.Hook)
	for _, h := range s.Hooks {
		got[h.Kind] = append(got[h.Kind], h)
	}
	same := s.Root == root && reflect.DeepEqual(got, hooks) &&
		(len(mounts)+len(s.Mounts) == 0 || reflect.DeepEqual(s.Mounts, mounts)) &&
		(len(namespaces)+len(s.Namespaces) == 0 || slices.Equal(s.Namespaces, namespaces))
	if !same {
		t.Fatalf("view %+v\nrunc reads root %q, mounts %+v, namespaces %+v, hooks %+v", s.View, root, mounts, namespaces, hooks)
	}
}

func checkAsRuncReads(t *testing.T, before, after []byte) {
	t.Helper()
	var old, new struct {
		specs.Spec
		Linux map[string]json.RawMessage `json:"linux"`
	}
	if json.Unmarshal(before, &old) != nil {
		return // runc would not read it
	}
	if err := json.Unmarshal(after, &new); err != nil {
		t.Fatalf("runc could read the spec before and cannot now: %v\n%s", err, after)
	}
	if string(new.Linux["seccomp"]) != newSeccomp {
		t.Fatalf("runc reads linux.seccomp as %s\n%s", new.Linux["seccomp"], after)
	}
	delete(old.Linux, "seccomp")
	delete(new.Linux, "seccomp")
	if len(old.Linux) == 0 {
		old.Linux, new.Linux = nil, nil
	}
	if !reflect.DeepEqual(old, new) {
		t.Fatalf("something else changed:\n%s\n%s", before, after)
	}
}
