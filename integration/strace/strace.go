package strace

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Flags have strace write a file for each thread, a line for each call: the number, the name, the
// arguments as numbers, and the result. Behind them stands the files' name without the thread's
// number, DIR/[File].
var Flags = []string{
	"-ff", "-n", "-X", "raw", "-e", "raw=all", "-e", "signal=none",
	"-e", "quiet=attach,exit,path-resolution,thread-execve", "-o",
}

// File begins the names of strace's files.
const File = "t"

// Call is one call as strace has seen it.
type Call struct {
	bpf.Call
	Arch specs.Arch
	Name string
	// Errno is what the call failed with, 0 if it did not. Result is strace's word for it.
	Errno  unix.Errno
	Result string
}

var (
	lineOf = regexp.MustCompile(`^\[ *(\d+)\] (\w+)\(([^)]*?)(?:(?:\)| <unfinished \.\.\.>\)?) += (.*)| <detached \.\.\.>)$`)
	modeOf = regexp.MustCompile(`\[ Process PID=\d+ runs in (32|64) bit mode. \]$`)
	// "???()" is of a thread that ended before strace could read its registers.
	nothingOf = regexp.MustCompile(`^(\[ *\d+\] )?(\+\+\+ |--- |\?+\(\) )`)
	// AuditArch are the architectures as filters see them (seccomp(2)).
	AuditArch = map[specs.Arch]uint32{specs.ArchX86_64: unix.AUDIT_ARCH_X86_64, specs.ArchX86: unix.AUDIT_ARCH_I386}
)

// Calls returns the calls of all threads. A line that it does not understand fails the test.
func Calls(t node.T, dir string) (calls []Call) {
	t.Helper()
	for _, of := range Threads(t, dir) {
		calls = append(calls, of...)
	}
	return calls
}

// Threads returns the calls of each thread, in order, by the thread's number.
func Threads(t node.T, dir string) map[int][]Call {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, File+".*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("strace has written nothing (%v)", err)
	}
	out := make(map[int][]Call)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tid, err := strconv.Atoi(strings.TrimPrefix(filepath.Ext(file), "."))
		if err != nil {
			t.Fatal(err)
		}
		arch := specs.ArchX86_64
		for line := range strings.Lines(string(data)) {
			line = strings.TrimSpace(line)
			if m := modeOf.FindStringSubmatch(line); m != nil {
				arch = map[string]specs.Arch{"32": specs.ArchX86, "64": specs.ArchX86_64}[m[1]]
				continue
			}
			if nothingOf.MatchString(line) {
				continue
			}
			call, err := readCall(line, &arch)
			if err != nil {
				t.Fatalf("%s: %q: %v", filepath.Base(file), line, err)
			}
			out[tid] = append(out[tid], call)
		}
	}
	return out
}

// readCall reads a line. strace does not say in which mode a new thread begins: where the
// number has that name on the other architecture only, the thread is in the other mode.
func readCall(line string, arch *specs.Arch) (c Call, err error) {
	m := lineOf.FindStringSubmatch(line)
	if m == nil {
		return c, fmt.Errorf("not a call")
	}
	nr, err := strconv.ParseUint(m[1], 10, 32)
	if err != nil {
		return c, err
	}
	other := map[specs.Arch]specs.Arch{specs.ArchX86: specs.ArchX86_64, specs.ArchX86_64: specs.ArchX86}[*arch]
	if syscalls.CallAt(*arch, int(nr)) != m[2] && syscalls.CallAt(other, int(nr)) == m[2] {
		*arch = other
	}
	c = Call{Call: bpf.Call{Nr: uint32(nr), Arch: AuditArch[*arch]}, Arch: *arch, Name: syscalls.CallAt(*arch, int(nr)), Result: cmp.Or(m[4], "? detached")}
	for i, word := range strings.Split(m[3], ", ") {
		if word == "" {
			continue
		}
		v, err := strconv.ParseUint(word, 0, 64)
		if err != nil || i > 5 {
			return c, fmt.Errorf("argument %d: %w", i, err)
		}
		if !syscalls.Is64(*arch) {
			v &= 1<<32 - 1 // strace extends the sign
		}
		c.Args[i] = v
	}
	if rest, failed := strings.CutPrefix(m[4], "-1 "); failed {
		name, _, _ := strings.Cut(rest, " ")
		for c.Errno = 1; c.Errno < 134 && unix.ErrnoName(c.Errno) != name; c.Errno++ {
		}
	}
	return c, nil
}
