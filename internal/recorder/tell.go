package recorder

import "github.com/cilium/ebpf/asm"

// tell tells of a mount namespace that got a tag. Its first process is a member already: whoever
// hears of it finds it there. What the process is goes along, since it may have ended by then. R6 is
// the mount namespace, R7 the process.
func tell(m *maps, o offsets, space, tag, told, tgid, was int16) asm.Instructions {
	p := update(m.Members.FD(), tgid, tag, anyway)
	p[0] = p[0].WithSymbol("tell")
	p = append(p, asm.JNE.Imm(asm.R0, 0, "lost process"))
	for at := told; at < told+eventSize; at += 8 {
		p = append(p, asm.StoreImm(asm.RFP, at, 0, asm.DWord))
	}
	p = append(p,
		asm.LoadMem(asm.R1, asm.RFP, space, asm.DWord),
		asm.StoreMem(asm.RFP, told, asm.R1, asm.DWord),
		asm.FnKtimeGetNs.Call(),
		asm.StoreMem(asm.RFP, told+eventTime, asm.R0, asm.DWord),
		asm.LoadMem(asm.R1, asm.RFP, tgid, asm.Word),
		asm.StoreMem(asm.RFP, told+eventPid, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, tag, asm.Word),
		asm.StoreMem(asm.RFP, told+eventTag, asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, was, asm.Word),
		asm.StoreMem(asm.RFP, told+eventWas, asm.R1, asm.Word),
	)
	p = append(p, read(asm.R6, o.inode, told+eventInode, 4)...)
	p = append(p, read(asm.R7, o.seccomp, told+eventSeccomp, 4)...)
	p = append(p, read(asm.R7, o.atomicFlags, told+eventFlags, 8)...)
	pointer := space - 8
	p = append(p, asm.Mov.Reg(asm.R0, asm.R7))
	p = append(p, through(pointer, "told", o.cred)...)
	p = append(p, asm.Mov.Reg(asm.R8, asm.R0))
	p = append(p, read(asm.R8, o.bounding, told+eventBounding, 8)...)
	p = append(p, name(o.unified, pointer, told+eventUnified, "above")...)
	p = append(p, asm.Mov.Imm(asm.R0, 0).WithSymbol("above"))
	p = append(p, name(o.above, pointer, told+eventAbove, "legacy")...)
	p = append(p, asm.Mov.Imm(asm.R0, 0).WithSymbol("legacy"))
	p = append(p, name(o.legacy, pointer, told+eventLegacy, "told")...)
	return append(p,
		asm.LoadMapPtr(asm.R1, m.Events.FD()).WithSymbol("told"),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, int32(told)), asm.Mov.Imm(asm.R3, eventSize), asm.Mov.Imm(asm.R4, 0),
		asm.FnRingbufOutput.Call(),
		asm.JNE.Imm(asm.R0, 0, "lost container"),
		asm.Ja.Label("out"),
	)
}

// read copies bytes at an offset from where a register points onto the stack. They stay 0 if they
// cannot be read.
func read(from asm.Register, offset, to int16, bytes int32) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R3, from), asm.Add.Imm(asm.R3, int32(offset)),
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, int32(to)), asm.Mov.Imm(asm.R2, bytes),
		asm.FnProbeReadKernel.Call(),
	}
}

// through goes from the structure that R0 points to through pointers at offsets, and leaves the last
// in R0. It uses 8 bytes of the stack, and goes to a label if that cannot be read.
func through(pointer int16, label string, offsets ...int16) (p asm.Instructions) {
	for _, offset := range offsets {
		p = append(p, read(asm.R0, offset, pointer, 8)...)
		p = append(p,
			asm.JNE.Imm(asm.R0, 0, label),
			asm.LoadMem(asm.R0, asm.RFP, pointer, asm.DWord),
		)
	}
	return p
}

// name copies the name of a cgroup of the process at R7 onto the stack.
func name(path []int16, pointer, to int16, label string) asm.Instructions {
	if path == nil {
		return nil
	}
	p := append(asm.Instructions{asm.Mov.Reg(asm.R0, asm.R7)}, through(pointer, label, path...)...)
	return append(p,
		asm.Mov.Reg(asm.R3, asm.R0),
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, int32(to)), asm.Mov.Imm(asm.R2, groupBytes),
		asm.FnProbeReadKernelStr.Call(),
	)
}
