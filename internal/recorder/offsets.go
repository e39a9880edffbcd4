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
	return o, err
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
