package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/internal/recorder"
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// beside says what a recorder does while a command runs. The program that does nothing shows what
// the kernel itself takes for being asked to run one at each call.
var beside = []string{"no recorder", "no recorder, a program that does nothing at each call", "not recorded, a recorder at work", "recorded"}

// The places in beside.
const (
	nobody = iota
	nothing
	ignored
	kept
)

// recorded measures what a recorder costs the programs that it records, and all others. Commands
// run in mount namespaces of their own, as containers do.
func (b *bench) recorded() {
	dir, err := os.MkdirTemp("", "batten-bench-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	calls := filepath.Join(dir, "calls")
	if out, err := exec.Command("gcc", "-O1", "-static", "-pthread", "-o", calls, "internal/recorder/testdata/calls.c").CombinedOutput(); err != nil {
		b.Fatal("gcc: ", err, ": ", string(out), "(the bench runs in the repository's directory)")
	}
	for _, job := range []struct {
		name   string
		args   []string
		prints func(string) (float64, error)
		goals  []string
	}{
		{"getppid, ns each", []string{calls, "loop", "1000000"}, number, []string{"", "≤ 1.01", ""}},
		{"dd bs=1 count=400000, ms", []string{"dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=400000", "status=none"}, nil, []string{"", "≤ 1.01", "≤ 1.10"}},
		{"tar of /usr/include, ms", []string{"/bin/sh", "-c", "tar -cf - /usr/include 2>/dev/null | cat >/dev/null"}, nil, []string{"", "≤ 1.01", "≤ 1.10"}},
	} {
		took := make([][]float64, len(beside))
		for round := range b.rounds + 1 {
			for k := range beside {
				i := (k + round) % len(beside) // nobody is always first
				cmd := exec.Command(job.args[0], job.args[1:]...)
				cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
				cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
				cmd.Stderr = os.Stderr
				value := b.runBeside(cmd, i, job.prints)
				if round > 0 { // the first warms up
					took[i] = append(took[i], value)
				}
			}
		}
		b.tellRecorded(job.name, took, job.goals)
	}
}

// tellRecorded prints what a recorder costs one job.
func (b *bench) tellRecorded(job string, took [][]float64, goals []string) {
	fmt.Printf("\n| %s | median | ratio (quartiles) | goal |\n| --- | --- | --- | --- |\n| %s | %.1f | | |\n", job, beside[0], median(took[0]))
	for i := 1; i < len(beside); i++ {
		fmt.Printf("| %s | %.1f | %s | %s |\n", beside[i], median(took[i]), ratio(took[i], took[0]), goals[i-1])
	}
}

// runBeside runs a command beside a recorder or none. The value is what it prints, or its time.
func (b *bench) runBeside(cmd *exec.Cmd, state int, prints func(string) (float64, error)) float64 {
	return b.withRecorder(state, func() float64 {
		began := time.Now()
		out, err := cmd.Output()
		took := float64(time.Since(began).Microseconds()) / 1000
		if err == nil && prints != nil {
			took, err = prints(strings.TrimSpace(string(out)))
		}
		if err != nil {
			b.Fatalf("%v: %v", cmd.Args, err)
		}
		return took
	})
}

// withRecorder measures something in one of the states of beside.
func (b *bench) withRecorder(state int, measure func() float64) float64 {
	switch state {
	case nobody:
		return measure()
	case nothing:
		defer b.doNothing()()
		return measure()
	}
	r, err := recorder.Open(recorder.Options{})
	if err != nil {
		b.Fatal(err)
	}
	stop := make(chan struct{})
	done := make(chan error, 1)
	go func() { done <- sortAll(r, state == kept, stop) }()
	defer func() {
		close(stop)
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		_ = r.Close() // the next is another
	}()
	return measure()
}

// doNothing has the kernel run a program that does nothing at each call, until undone.
func (b *bench) doNothing() (undo func()) {
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.RawTracepoint, License: "GPL", Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	})
	if err != nil {
		b.Fatal(err)
	}
	l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: "sys_enter", Program: p})
	if err != nil {
		b.Fatal(err)
	}
	return func() { _, _ = l.Close(), p.Close() }
}

// sortAll has all that starts recorded, or nothing of it.
func sortAll(r *recorder.Recorder, keep bool, stop chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		n, err := r.Next(time.Now().Add(10 * time.Millisecond))
		if err == recorder.ErrDone {
			continue
		}
		if err == nil && keep {
			err = r.Keep(n.Tag)
		} else if err == nil {
			err = r.Ignore(n)
		}
		if err != nil {
			return err
		}
	}
}

func number(s string) (float64, error) { return strconv.ParseFloat(s, 64) }
