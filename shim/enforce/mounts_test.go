package enforce

import (
	"slices"
	"testing"
)

// table is made of lines of mountinfo: device, root and point.
func table(mounts ...mount) mountTable {
	t := make(mountTable)
	for i, m := range mounts {
		m.order = i
		t[m.device] = append(t[m.device], m)
	}
	return t
}

// A file is known by each name that the node's mounts give it.
func TestMountNames(t *testing.T) {
	disk := mount{device: "8:1", root: "/", point: "/"}
	for _, tt := range []struct {
		name   string
		table  mountTable
		path   string
		shown  []string // must be among the names
		hidden []string // must not
	}{
		{name: "one disk", table: table(disk), path: "/nowhere/batten", shown: []string{"/nowhere/batten"}, hidden: []string{"/nowhere", "/"}},
		{name: "a directory that is mounted elsewhere", table: table(disk, mount{device: "8:1", root: "/nowhere/batten", point: "/mnt-x/y"}), path: "/mnt-x/y", shown: []string{"/mnt-x/y", "/nowhere/batten"}},
		{name: "what is in it", table: table(disk, mount{device: "8:1", root: "/nowhere/batten", point: "/mnt-x/y"}), path: "/mnt-x/y/profiles", shown: []string{"/nowhere/batten/profiles"}},
		{name: "and the other way", table: table(disk, mount{device: "8:1", root: "/nowhere/batten", point: "/mnt-x/y"}), path: "/nowhere/batten/policy.yaml", shown: []string{"/mnt-x/y/policy.yaml"}},
		{name: "above what is mounted there", table: table(disk, mount{device: "8:1", root: "/nowhere/batten", point: "/mnt-x/y"}), path: "/mnt-x", shown: []string{"/nowhere/batten"}},
		{name: "a disk of its own", table: table(disk, mount{device: "8:2", root: "/", point: "/mnt-x"}), path: "/mnt-x", hidden: []string{"/"}},
		{name: "the same name on another disk", table: table(disk, mount{device: "8:2", root: "/nowhere/batten", point: "/mnt-x"}), path: "/mnt-x", hidden: []string{"/nowhere/batten"}},
		{name: "a disk in two places", table: table(disk, mount{device: "8:2", root: "/", point: "/mnt-x"}, mount{device: "8:2", root: "/sub", point: "/mnt-z"}), path: "/mnt-z", shown: []string{"/mnt-x/sub"}},
		{name: "a longer name", table: table(disk, mount{device: "8:1", root: "/nowhere", point: "/mnt-x"}), path: "/mnt-xy", hidden: []string{"/nowherey", "/nowhere"}},
		{name: "one over the other", table: table(disk, mount{device: "8:2", root: "/", point: "/mnt-x"}, mount{device: "8:1", root: "/nowhere", point: "/mnt-x"}), path: "/mnt-x/a", shown: []string{"/nowhere/a"}},
	} {
		got := tt.table.shown(tt.path)
		for _, name := range tt.shown {
			if !slices.Contains(got, name) {
				t.Errorf("%s: %s shows %q, want %s among them", tt.name, tt.path, got, name)
			}
		}
		for _, name := range tt.hidden {
			if slices.Contains(got, name) {
				t.Errorf("%s: %s shows %q, want no %s", tt.name, tt.path, got, name)
			}
		}
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		"/a": "/a", `/a\040b`: "/a b", `\011\012\134`: "\t\n\\", `/a\04`: `/a\04`, `/a\999`: `/a\999`, `\`: `\`,
	} {
		if got := unescape(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// This machine's own mounts are read, and hold the root.
func TestReadMounts(t *testing.T) {
	mounts, err := readMounts()
	if err != nil {
		t.Fatal(err)
	}
	if m, ok := mounts.holding("/"); !ok || m.point != "/" {
		t.Errorf("/ is on %+v, %v", m, ok)
	}
	if m, ok := mounts.holding("/proc/self/status"); !ok || m.point != "/proc" {
		t.Errorf("/proc/self/status is on %+v, %v", m, ok)
	}
}
