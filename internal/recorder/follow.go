package recorder

import (
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// Flags of bpf_map_update_elem (bpf-helpers(7)), and one of its errors.
const (
	anyway  = 0
	noExist = 1
	eexist  = int32(unix.EEXIST)
)

// onFork is the program at each fork: raw_tracepoint sched_process_fork(struct task_struct
// *parent, *child). What a container's process forks is the container's. A number that was a
// container's process may be another's now.
func onFork(m *maps, o offsets) asm.Instructions {
	const child, parent, tag, place = -4, -8, -12, -16
	p := asm.Instructions{
		asm.LoadMem(asm.R3, asm.R1, 8, asm.DWord), asm.Add.Imm(asm.R3, int32(o.tgid)),
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, child), asm.Mov.Imm(asm.R2, 4),
		asm.FnProbeReadKernel.Call(),
		asm.JNE.Imm(asm.R0, 0, "out"),
	}
	p = append(p, loadTgid(parent)...)
	p = append(p,
		asm.LoadMem(asm.R1, asm.RFP, child, asm.Word),
		asm.JEq.Reg(asm.R0, asm.R1, "out"), // a thread
	)
	p = append(p, lookup(m.Members.FD(), parent)...)
	p = append(p,
		asm.JEq.Imm(asm.R0, 0, "clear"),
		asm.LoadMem(asm.R6, asm.R0, 0, asm.Word),
		asm.StoreMem(asm.RFP, tag, asm.R6, asm.Word),
	)
	p = append(p, isIn(m.Current.FD(), asm.R6, place, "clear")...)
	p = append(p, update(m.Members.FD(), child, tag, anyway)...)
	p = append(p,
		asm.JNE.Imm(asm.R0, 0, "lost process"),
		asm.Ja.Label("out"),
	)
	clear := lookup(m.Members.FD(), child)
	clear[0] = clear[0].WithSymbol("clear")
	p = append(p, clear...)
	p = append(p, asm.JEq.Imm(asm.R0, 0, "out"))
	p = append(p, remove(m.Members.FD(), child)...)
	p = append(p, asm.Ja.Label("out"))
	p = append(p, lose(m, lostProcesses, "lost process")...)
	return append(p, finish()...)
}

// onExec is the program at each execve that worked: raw_tracepoint sched_process_exec(struct
// task_struct *, pid_t, struct linux_binprm *). A process of a container that is known to be one
// stays there. Any other may be a runtime's, which has forked from one that is not sorted yet.
func onExec(m *maps, o offsets) asm.Instructions {
	const tgid, place, tag, space, pointer, told = -4, -8, -12, -24, -32, -32 - eventSize
	const was = told - 4
	p := append(loadTgid(tgid), asm.StoreImm(asm.RFP, was, 0, asm.Word))
	p = append(p, lookup(m.Members.FD(), tgid)...)
	p = append(p,
		asm.JEq.Imm(asm.R0, 0, "unknown"),
		asm.LoadMem(asm.R6, asm.R0, 0, asm.Word),
		asm.StoreMem(asm.RFP, was, asm.R6, asm.Word),
	)
	p = append(p, isIn(m.Settled.FD(), asm.R6, place, "unknown")...)
	p = append(p,
		asm.Ja.Label("out"), // a container's process, and stays that
		asm.FnGetCurrentTask.Call().WithSymbol("unknown"),
	)
	p = append(p, asm.Mov.Reg(asm.R7, asm.R0))
	p = append(p, through(pointer, "out", o.nsproxy, o.mounts)...)
	p = append(p, asm.Mov.Reg(asm.R6, asm.R0))
	p = append(p, through(pointer, "out", o.space)...)
	p = append(p, asm.StoreMem(asm.RFP, space, asm.R0, asm.DWord))
	p = append(p, lookup(m.Spaces.FD(), space)...)
	p = append(p, asm.JNE.Imm(asm.R0, 0, "known"))
	p = append(p, take(m, space, tag)...)
	p = append(p, tell(m, o, space, tag, told, tgid, was)...)
	p = append(p,
		asm.LoadMem(asm.R1, asm.R0, 0, asm.Word).WithSymbol("known"),
		asm.StoreMem(asm.RFP, tag, asm.R1, asm.Word),
		asm.JNE.Imm(asm.R1, 0, "join"),
	)
	p = append(p, remove(m.Members.FD(), tgid)...)
	p = append(p, asm.Ja.Label("out"))
	join := update(m.Members.FD(), tgid, tag, anyway)
	join[0] = join[0].WithSymbol("join")
	p = append(p, join...)
	p = append(p,
		asm.JEq.Imm(asm.R0, 0, "out"),
	)
	p = append(p, lose(m, lostProcesses, "lost process")...)
	p = append(p, lose(m, lostContainers, "lost container")...)
	return append(p, finish()...)
}

// isIn goes on if a register holds the tag that a map has for its place, else at a label.
func isIn(fd int, tag asm.Register, place int16, label string) asm.Instructions {
	p := asm.Instructions{
		asm.JEq.Imm(tag, 0, label),
		asm.Mov.Reg(asm.R1, tag), asm.And.Imm(asm.R1, 0xffff),
		asm.StoreMem(asm.RFP, place, asm.R1, asm.Word),
	}
	p = append(p, lookup(fd, place)...)
	return append(p,
		asm.JEq.Imm(asm.R0, 0, label),
		asm.LoadMem(asm.R1, asm.R0, 0, asm.Word),
		asm.JNE.Reg(asm.R1, tag, label),
	)
}

// take gives a free tag to a mount namespace.
func take(m *maps, space, tag int16) asm.Instructions {
	p := asm.Instructions{
		asm.LoadMapPtr(asm.R1, m.Free.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, int32(tag)),
		asm.FnMapPopElem.Call(),
		asm.JNE.Imm(asm.R0, 0, "lost container"),
	}
	p = append(p, update(m.Spaces.FD(), space, tag, noExist)...)
	p = append(p, asm.JEq.Imm(asm.R0, 0, "tell"))
	// Another processor was faster: the tag goes back.
	p = append(p,
		asm.LoadMapPtr(asm.R1, m.Free.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, int32(tag)), asm.Mov.Imm(asm.R3, 0),
		asm.FnMapPushElem.Call(),
	)
	p = append(p, lookup(m.Spaces.FD(), space)...)
	return append(p,
		asm.JNE.Imm(asm.R0, 0, "known"),
		asm.Ja.Label("lost container"),
	)
}

// onExit is the program at each thread's end: raw_tracepoint sched_process_exit(struct
// task_struct *). A process ends with its last thread.
func onExit(m *maps, o offsets) asm.Instructions {
	const tgid, pointer, live = -4, -16, -20
	p := asm.Instructions{
		asm.LoadMem(asm.R3, asm.R1, 0, asm.DWord), asm.Add.Imm(asm.R3, int32(o.signal)),
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, pointer), asm.Mov.Imm(asm.R2, 8),
		asm.FnProbeReadKernel.Call(),
		asm.LoadMem(asm.R3, asm.RFP, pointer, asm.DWord), asm.Add.Imm(asm.R3, int32(o.live)),
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, live), asm.Mov.Imm(asm.R2, 4),
		asm.FnProbeReadKernel.Call(),
		asm.JNE.Imm(asm.R0, 0, "out"),
		asm.LoadMem(asm.R1, asm.RFP, live, asm.Word),
		asm.JNE.Imm(asm.R1, 0, "out"),
	}
	p = append(p, loadTgid(tgid)...)
	p = append(p, lookup(m.Members.FD(), tgid)...)
	p = append(p, asm.JEq.Imm(asm.R0, 0, "out"))
	p = append(p, remove(m.Members.FD(), tgid)...)
	return append(p, finish()...)
}

// loadTgid leaves the process's number in R0 and on the stack.
func loadTgid(at int16) asm.Instructions {
	return asm.Instructions{
		asm.FnGetCurrentPidTgid.Call(), asm.RSh.Imm(asm.R0, 32),
		asm.StoreMem(asm.RFP, at, asm.R0, asm.Word),
	}
}

// lookup leaves in R0 where a map has the value of the key on the stack; 0 if it has none.
func lookup(fd int, key int16) asm.Instructions {
	return asm.Instructions{
		asm.LoadMapPtr(asm.R1, fd), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, int32(key)),
		asm.FnMapLookupElem.Call(),
	}
}

// update writes the value on the stack, and leaves 0 or an error in R0.
func update(fd int, key, value int16, flags int32) asm.Instructions {
	return asm.Instructions{
		asm.LoadMapPtr(asm.R1, fd), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, int32(key)),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, int32(value)), asm.Mov.Imm(asm.R4, flags),
		asm.FnMapUpdateElem.Call(),
	}
}

func remove(fd int, key int16) asm.Instructions {
	return asm.Instructions{
		asm.LoadMapPtr(asm.R1, fd), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, int32(key)),
		asm.FnMapDeleteElem.Call(),
	}
}

// lose counts what there was no room for, from a label on, and ends the program.
func lose(m *maps, kind int32, label string) asm.Instructions {
	const at = -224
	p := asm.Instructions{asm.StoreImm(asm.RFP, at, int64(kind), asm.Word).WithSymbol(label)}
	p = append(p, lookup(m.Lost.FD(), at)...)
	return append(p,
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.Mov.Imm(asm.R1, 1), asm.StoreXAdd(asm.R0, asm.R1, asm.DWord),
		asm.Ja.Label("out"),
	)
}

func finish() asm.Instructions {
	return asm.Instructions{asm.Mov.Imm(asm.R0, 0).WithSymbol("out"), asm.Return()}
}
