package recorder

import (
	"fmt"

	"github.com/cilium/ebpf/asm"
)

// Where the fields of a cell are, in bytes.
const (
	cellTime, cellPid, cellTag, cellWatch, cellValues, cellComm = 0, 8, 12, 16, 20, 24
)

// maps.Watch has a bit for each argument that is recorded, and this one if argument 0 is in memory
// (clone3).
const watchMemory = 1 << 6

// Places on the stack of a program.
const (
	stackTgid   = -4
	stackMode   = -8
	stackCell   = -12
	stackArch   = -16
	stackWatch  = -20 // architecture and number
	stackMemory = -32
	stackRegs   = -160 // registers bytes
	stackKey    = -184 // value
	stackFirst  = -216 // first
)

// sysEnter is the program at each call: raw_tracepoint sys_enter(struct pt_regs *, long id). It
// keeps R6 for its arguments, R7 for the tag, R8 for the number and R9 for the cell.
func sysEnter(m *maps, o offsets) asm.Instructions {
	p := asm.Instructions{asm.Mov.Reg(asm.R6, asm.R1)}
	p = append(p, loadTgid(stackTgid)...)
	p = append(p, lookup(m.Members.FD(), stackTgid)...)
	p = append(p,
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.LoadMem(asm.R7, asm.R0, 0, asm.Word),
		asm.JEq.Imm(asm.R7, 0, "out"),
		asm.LoadMem(asm.R8, asm.R6, 8, asm.DWord),
	)
	p = append(p, findArch(o)...)
	p = append(p,
		asm.JGT.Imm(asm.R8, numbers-1, "lost call"),
		// The cell's index: place, architecture, number.
		asm.Mov.Reg(asm.R1, asm.R7), asm.And.Imm(asm.R1, 0xffff), asm.Mul.Imm(asm.R1, int32(len(arches))),
		asm.LoadMem(asm.R2, asm.RFP, stackArch, asm.Word),
		asm.Add.Reg(asm.R1, asm.R2), asm.LSh.Imm(asm.R1, numberBits), asm.Add.Reg(asm.R1, asm.R8),
		asm.StoreMem(asm.RFP, stackCell, asm.R1, asm.Word),
		asm.LSh.Imm(asm.R2, numberBits), asm.Add.Reg(asm.R2, asm.R8),
		asm.StoreMem(asm.RFP, stackWatch, asm.R2, asm.Word),
	)
	p = append(p, lookup(m.Cells.FD(), stackCell)...)
	p = append(p,
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.Mov.Reg(asm.R9, asm.R0),
		asm.LoadMem(asm.R1, asm.R9, cellTag, asm.Word),
		asm.JEq.Reg(asm.R1, asm.R7, "seen"),
	)
	// A process may still have the tag of a container that was dropped.
	p = append(p, isIn(m.Current.FD(), asm.R7, stackMode, "dropped")...)
	p = append(p, fillCell(m)...)
	p = append(p,
		asm.LoadMem(asm.R1, asm.R9, cellWatch, asm.Word).WithSymbol("seen"),
		asm.JEq.Imm(asm.R1, 0, "out"),
		// The registers, for the arguments.
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, stackRegs), asm.Mov.Imm(asm.R2, registers),
		asm.LoadMem(asm.R3, asm.R6, 0, asm.DWord), asm.FnProbeReadKernel.Call(),
		asm.JNE.Imm(asm.R0, 0, "lost argument"),
	)
	for i := range args {
		p = append(p, keepArgument(m, i)...)
	}
	p = append(p, asm.Ja.Label("out").WithSymbol("arg 6"))
	// It is nobody's then, and its next calls are not looked at.
	dropped := lookup(m.Members.FD(), stackTgid)
	dropped[0] = dropped[0].WithSymbol("dropped")
	p = append(p, dropped...)
	p = append(p,
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.LoadMem(asm.R1, asm.R0, 0, asm.Word),
		asm.JNE.Reg(asm.R1, asm.R7, "out"), // it was given another meanwhile
		asm.StoreImm(asm.R0, 0, 0, asm.Word),
		asm.Ja.Label("out"),
	)
	p = append(p, lose(m, lostCalls, "lost call")...)
	p = append(p, lose(m, lostArguments, "lost argument")...)
	return append(p, finish()...)
}

// findArch leaves at stackArch which architecture the call is of, and its number in R8.
func findArch(o offsets) asm.Instructions {
	p := asm.Instructions{
		asm.StoreImm(asm.RFP, stackArch, 0, asm.Word),
		asm.FnGetCurrentTask.Call(),
		asm.Mov.Reg(asm.R3, asm.R0), asm.Add.Imm(asm.R3, int32(o.flags)),
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, stackMode), asm.Mov.Imm(asm.R2, 4),
		asm.FnProbeReadKernel.Call(),
		asm.LoadMem(asm.R1, asm.RFP, stackMode, asm.Word),
		asm.And.Imm(asm.R1, compatBit),
		asm.JEq.Imm(asm.R1, 0, "wide"),
		asm.StoreImm(asm.RFP, stackArch, 1, asm.Word),
		asm.Ja.Label("arch"),
		asm.Mov.Reg(asm.R1, asm.R8).WithSymbol("wide"),
	}
	if x32Bit != 0 {
		p = append(p,
			asm.And.Imm(asm.R1, x32Bit),
			asm.JEq.Imm(asm.R1, 0, "arch"),
			asm.Xor.Imm(asm.R8, x32Bit),
			asm.StoreImm(asm.RFP, stackArch, 2, asm.Word),
		)
	}
	return append(p, asm.Mov.Reg(asm.R1, asm.R8).WithSymbol("arch"))
}

// fillCell writes the cell at R9 for a call that is made for the first time.
func fillCell(m *maps) asm.Instructions {
	p := asm.Instructions{
		asm.FnKtimeGetNs.Call(),
		asm.StoreMem(asm.R9, cellTime, asm.R0, asm.DWord),
		asm.LoadMem(asm.R1, asm.RFP, stackTgid, asm.Word),
		asm.StoreMem(asm.R9, cellPid, asm.R1, asm.Word),
		asm.StoreImm(asm.R9, cellValues, 0, asm.Word),
		asm.Mov.Reg(asm.R1, asm.R9), asm.Add.Imm(asm.R1, cellComm), asm.Mov.Imm(asm.R2, 16),
		asm.FnGetCurrentComm.Call(),
	}
	p = append(p, lookup(m.Watch.FD(), stackWatch)...)
	return append(p,
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.LoadMem(asm.R1, asm.R0, 0, asm.Word),
		asm.StoreMem(asm.R9, cellWatch, asm.R1, asm.Word),
		asm.StoreMem(asm.R9, cellTag, asm.R7, asm.Word), // last: the cell counts from now on
	)
}

// keepArgument keeps argument i, if it is watched.
func keepArgument(m *maps, i int) asm.Instructions {
	here, next := fmt.Sprintf("arg %d", i), fmt.Sprintf("arg %d", i+1)
	label := func(s string) string { return fmt.Sprintf("%s %d", s, i) }
	p := asm.Instructions{
		asm.LoadMem(asm.R1, asm.R9, cellWatch, asm.Word).WithSymbol(here),
		asm.Mov.Reg(asm.R2, asm.R1), asm.And.Imm(asm.R2, 1<<i),
		asm.JEq.Imm(asm.R2, 0, next),
		asm.LoadMem(asm.R2, asm.RFP, stackArch, asm.Word),
		asm.JEq.Imm(asm.R2, 1, label("compat")),
		asm.LoadMem(asm.R3, asm.RFP, stackRegs+args[i], asm.DWord),
		asm.Ja.Label(label("whole")),
		asm.LoadMem(asm.R3, asm.RFP, stackRegs+compatArgs[i], asm.DWord).WithSymbol(label("compat")),
		asm.LSh.Imm(asm.R3, 32), asm.RSh.Imm(asm.R3, 32),
		asm.StoreMem(asm.RFP, stackMemory, asm.R3, asm.DWord).WithSymbol(label("whole")),
	}
	if i == 0 {
		p = append(p,
			asm.LoadMem(asm.R1, asm.R9, cellWatch, asm.Word),
			asm.And.Imm(asm.R1, watchMemory),
			asm.JEq.Imm(asm.R1, 0, "direct"),
			asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, stackMemory), asm.Mov.Imm(asm.R2, 8),
			asm.FnProbeReadUser.Call(),
			asm.JNE.Imm(asm.R0, 0, "lost argument"),
			asm.Mov.Imm(asm.R0, 0).WithSymbol("direct"),
		)
	}
	p = append(p,
		asm.StoreMem(asm.RFP, stackKey, asm.R7, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, stackWatch, asm.Word),
		asm.StoreMem(asm.RFP, stackKey+4, asm.R1, asm.Word),
		asm.StoreImm(asm.RFP, stackKey+8, int64(i), asm.Word),
		asm.StoreImm(asm.RFP, stackKey+12, 0, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, stackMemory, asm.DWord),
		asm.StoreMem(asm.RFP, stackKey+16, asm.R1, asm.DWord),
	)
	p = append(p, lookup(m.Values.FD(), stackKey)...)
	p = append(p,
		asm.JNE.Imm(asm.R0, 0, next),
		asm.LoadMem(asm.R1, asm.R9, cellValues, asm.Word),
		asm.JGE.Imm(asm.R1, maxOfACall, "lost argument"),
		asm.Mov.Imm(asm.R1, 1), asm.StoreXAdd(asm.R9, asm.R1, asm.Word),
	)
	p[len(p)-1].Offset = cellValues
	p = append(p,
		asm.FnKtimeGetNs.Call(),
		asm.StoreMem(asm.RFP, stackFirst, asm.R0, asm.DWord),
		asm.LoadMem(asm.R1, asm.RFP, stackTgid, asm.Word),
		asm.StoreMem(asm.RFP, stackFirst+8, asm.R1, asm.Word),
		asm.StoreImm(asm.RFP, stackFirst+12, 0, asm.Word),
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, stackFirst+16), asm.Mov.Imm(asm.R2, 16),
		asm.FnGetCurrentComm.Call(),
	)
	p = append(p, update(m.Values.FD(), stackKey, stackFirst, noExist)...)
	return append(p,
		asm.JEq.Imm(asm.R0, 0, next),
		asm.JNE.Imm(asm.R0, -eexist, "lost argument"),
	)
}
