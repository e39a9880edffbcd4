package recorder

import (
	"fmt"

	"github.com/cilium/ebpf/btf"
)

// offsets are where the programs find fields of the kernel's structures, in bytes.
type offsets struct {
	tgid, flags, nsproxy, signal int16 // in task_struct
	mounts                       int16 // in nsproxy
	space                        int16 // in mnt_namespace: a number that no other ever has
	inode                        int16 // in mnt_namespace: its number in /proc, which another may have later
	live                         int16 // in signal_struct

	seccomp, atomicFlags, cred int16 // in task_struct: the mode, PR_SET_NO_NEW_PRIVS in bit 0, and its rights
	bounding                   int16 // in cred
	// The names of its cgroups: by version 2 and, where a controller has one of its own, by version 1.
	unified, legacy []int16
	above           []int16 // of the one above that of version 2; nil if the kernel has it elsewhere
}

// findOffsets reads the running kernel's description of itself.
func findOffsets() (o offsets, err error) {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return o, &Unable{"the kernel does not describe its structures: " + err.Error(), "record on a kernel with CONFIG_DEBUG_INFO_BTF=y, which has /sys/kernel/btf/vmlinux"}
	}
	find := func(path ...string) int16 {
		at, wrong := offsetOf(spec, path)
		if wrong != nil && err == nil {
			err = &Unable{wrong.Error(), "tell Batten's authors the kernel's release"}
		}
		return at
	}
	o.tgid, o.nsproxy, o.signal = find("task_struct", "tgid"), find("task_struct", "nsproxy"), find("task_struct", "signal")
	o.flags = find("task_struct", "thread_info") + find("thread_info", modeField)
	o.mounts, o.live = find("nsproxy", "mnt_ns"), find("signal_struct", "live")
	o.inode = find("mnt_namespace", "ns") + find("ns_common", "inum")
	// Before Linux 6.18 mount namespaces were numbered apart from others.
	if at, old := offsetOf(spec, []string{"mnt_namespace", "seq"}); old == nil {
		o.space = at
	} else {
		o.space = find("mnt_namespace", "ns") + find("ns_common", "ns_id")
	}
	o.seccomp = find("task_struct", "seccomp") + find("seccomp", "mode")
	o.atomicFlags, o.cred, o.bounding = find("task_struct", "atomic_flags"), find("task_struct", "cred"), find("cred", "cap_bset")
	if err == nil {
		o.findCgroups(spec)
	}
	return o, err
}

// findCgroups finds the names of cgroups. A kernel that has none is no error.
func (o *offsets) findCgroups(spec *btf.Spec) {
	var wrong error
	find := func(path ...string) int16 {
		at, err := offsetOf(spec, path)
		if wrong == nil {
			wrong = err
		}
		return at
	}
	task, name := find("task_struct", "cgroups"), []int16{find("cgroup", "kn"), find("kernfs_node", "name")}
	unified, subsys, group := find("css_set", "dfl_cgrp"), find("css_set", "subsys"), find("cgroup_subsys_state", "cgroup")
	if wrong != nil {
		return
	}
	o.unified = append([]int16{task, unified}, name...)
	for _, parent := range []string{"parent", "__parent"} { // Linux 6.15 has another name
		if at, err := offsetOf(spec, []string{"kernfs_node", parent}); err == nil {
			o.above = []int16{task, unified, name[0], at, name[1]}
		}
	}
	for _, controller := range []string{"pids_cgrp_id", "memory_cgrp_id", "cpu_cgrp_id"} { // runtimes use each that there is
		if i, ok := enumOf(spec, "cgroup_subsys_id", controller); ok {
			o.legacy = append([]int16{task, subsys + 8*i, group}, name...)
			return
		}
	}
}

// enumOf returns the number of a word.
func enumOf(spec *btf.Spec, name, word string) (int16, bool) {
	var e *btf.Enum
	if spec.TypeByName(name, &e) != nil {
		return 0, false
	}
	for _, v := range e.Values {
		if v.Name == word {
			return int16(v.Value), true
		}
	}
	return 0, false
}

// offsetOf returns where a field is in a structure, in bytes.
func offsetOf(spec *btf.Spec, path []string) (int16, error) {
	var s *btf.Struct
	if err := spec.TypeByName(path[0], &s); err != nil {
		return 0, fmt.Errorf("the kernel has no struct %s: %w", path[0], err)
	}
	if at, ok := within(s.Members, path[1]); ok {
		return int16(at), nil
	}
	return 0, fmt.Errorf("the kernel's struct %s has no %s", path[0], path[1])
}

// within looks for a field, also in structures and unions without a name.
func within(members []btf.Member, name string) (uint32, bool) {
	for _, m := range members {
		if m.Name == name {
			return m.Offset.Bytes(), true
		}
		if m.Name != "" {
			continue
		}
		var inner []btf.Member
		switch t := btf.UnderlyingType(m.Type).(type) {
		case *btf.Struct:
			inner = t.Members
		case *btf.Union:
			inner = t.Members
		}
		if at, ok := within(inner, name); ok {
			return m.Offset.Bytes() + at, true
		}
	}
	return 0, false
}
