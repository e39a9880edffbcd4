package recorder

import (
	"errors"
	"os"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// attach has the kernel run a program at a tracepoint.
func (r *Recorder) attach(tracepoint string, program asm.Instructions) error {
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "batten_" + strings.TrimPrefix(tracepoint, "sched_process_"), Type: ebpf.RawTracepoint, Instructions: program, License: "GPL",
	})
	if err != nil {
		return unable("load the program for "+tracepoint, err)
	}
	defer p.Close() // the link keeps it
	l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: tracepoint, Program: p})
	if err != nil {
		return unable("attach to "+tracepoint, err)
	}
	r.links = append(r.links, l)
	return nil
}

// attachToCalls attaches the program at each call, and sees that it runs. In qemu's arm64 without KVM
// one time in ten the kernel runs it for no call of the whole machine, until it is attached again.
func (r *Recorder) attachToCalls(program asm.Instructions) error {
	const tries = 20
	for range tries {
		if err := r.attach("sys_enter", program); err != nil {
			return err
		}
		if told, err := r.told(); told || err != nil {
			return err
		}
		last := len(r.links) - 1
		if err := r.links[last].Close(); err != nil {
			return err
		}
		r.links = r.links[:last]
	}
	return &Unable{"the kernel tells of no system call, although it took the program at sys_enter", "record on another machine; this was seen in an emulator alone"}
}

// told reports whether the program at each call runs: it records a call of this process.
func (r *Recorder) told() (bool, error) {
	tag, err := r.Take()
	if err != nil {
		return false, err
	}
	pid := os.Getpid()
	if err := r.Add(tag, pid); err != nil {
		return false, err
	}
	_ = os.Getppid()
	var c cell
	nr, _ := numberOn(arches[0], "getppid")
	err = r.maps.Cells.Lookup(tag.cell(uint32(nr)), &c)
	return Tag(c.Tag) == tag, errors.Join(err, r.maps.Members.Delete(uint32(pid)), r.Drop(tag))
}
