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
)

// beside says what a recorder does while a command runs.
var beside = []string{"no recorder", "not recorded, a recorder at work", "recorded"}

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
		goals  [2]string
	}{
		{"getppid, ns each", []string{calls, "loop", "1000000"}, number, [2]string{"≤ 1.01", ""}},
		{"dd bs=1 count=400000, ms", []string{"dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=400000", "status=none"}, nil, [2]string{"≤ 1.01", "≤ 1.10"}},
		{"tar of /usr/include, ms", []string{"/bin/sh", "-c", "tar -cf - /usr/include 2>/dev/null | cat >/dev/null"}, nil, [2]string{"≤ 1.01", "≤ 1.10"}},
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
func (b *bench) tellRecorded(job string, took [][]float64, goals [2]string) {
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
	if state == 0 {
		return measure()
	}
	r, err := recorder.Open(recorder.Options{})
	if err != nil {
		b.Fatal(err)
	}
	stop := make(chan struct{})
	done := make(chan error, 1)
	go func() { done <- sortAll(r, state == 2, stop) }()
	defer func() {
		close(stop)
		if err := <-done; err != nil {
			b.Fatal(err)
		}
		_ = r.Close() // the next is another
	}()
	return measure()
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
