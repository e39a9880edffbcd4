package filter_test

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/batten-runtime/batten/internal/testneeds"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// judged are the ABIs by which the judge makes calls: a program of arm64 cannot make those of
// 32-bit ARM.
var judged = map[string][]uint32{
	"amd64": {unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_I386}, "arm64": {unix.AUDIT_ARCH_AARCH64},
}[runtime.GOARCH]

// judgeProgram builds testdata/judge.c.
func judgeProgram(t *testing.T) string {
	t.Helper()
	if len(judged) == 0 {
		t.Skip("the judge makes calls on x86_64 and arm64")
	}
	testneeds.Root(t, "filters are loaded without no_new_privs")
	path := filepath.Join(t.TempDir(), "judge")
	if out, err := exec.Command("gcc", "-O1", "-o", path, "testdata/judge.c").CombinedOutput(); err != nil {
		t.Fatalf("gcc: %v\n%s", err, out)
	}
	return path
}

// did is what the kernel does with calls under the filters.
func did(t *testing.T, judge string, s filter.Stack, calls []filter.Call) []int32 {
	t.Helper()
	var in bytes.Buffer
	put := func(v any) {
		if err := binary.Write(&in, binary.NativeEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	put(uint32(len(s)))
	for _, p := range s {
		put(uint32(len(p.Instructions)))
		put(p.Instructions)
	}
	put(uint32(len(calls)))
	for _, c := range calls {
		abi := uint32(0)
		if c.Arch == unix.AUDIT_ARCH_I386 {
			abi = 1
		}
		put(abi)
		put(c.Nr)
		put(c.Args)
	}
	cmd := exec.Command(judge)
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	data, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	out := make([]int32, len(calls))
	if err := binary.Read(bytes.NewReader(data), binary.NativeEndian, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// expected is what judge says of a result.
func expected(r filter.Result) int32 {
	switch r.Action {
	case unix.SECCOMP_RET_KILL_PROCESS, unix.SECCOMP_RET_KILL_THREAD:
		return 2000
	case unix.SECCOMP_RET_TRAP:
		return 1000
	case unix.SECCOMP_RET_ERRNO:
		return int32(r.Data)
	}
	return int32(unix.ENOSYS)
}

// callsFor are every step-th number without arguments, by each ABI, and samples.
func callsFor(r *rand.Rand, step uint32, samples int) (calls []filter.Call) {
	for _, arch := range judged {
		for nr := r.Uint32N(step); nr < 470; nr += step {
			calls = append(calls, filter.Call{Arch: arch, Nr: nr})
		}
	}
	for range samples {
		c := sample(r)
		c.Nr &^= 1 << 30 // this kernel need not have x32
		if !slices.Contains(judged, c.Arch) {
			nr, _ := syscalls.Number(syscalls.Native[runtime.GOARCH], filtertest.Pick(r, filtertest.Names))
			c.Arch, c.Nr = judged[0], uint32(max(nr, 0))
		}
		if c.Arch == unix.AUDIT_ARCH_I386 {
			for i := range c.Args {
				c.Args[i] &= 1<<32 - 1
			}
		}
		calls = append(calls, c)
	}
	// seccomp is what judge itself makes; 335 and 336, uretprobe and uprobe, the
	// kernel lets pass every filter (kernel/seccomp.c since 6.13).
	return slices.DeleteFunc(calls, func(c filter.Call) bool {
		return c.Arch == judged[0] && c.Nr == unix.SYS_SECCOMP || c.Arch == unix.AUDIT_ARCH_X86_64 && (c.Nr == 335 || c.Nr == 336)
	})
}

// The kernel as the judge: a process with floor and profile installed as two
// filters, another with the one that Floor made. Both do what this package says
// of their programs; that the programs agree is for the proofs of policy/profile. PAIRS is
// how many random ones there are, and people's at most.
func TestKernelAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: takes a minute")
	}
	judge := judgeProgram(t)
	var pairs [][2]specs.LinuxSeccomp
	profiles := filtertest.Corpus(t)
	for _, a := range slices.Sorted(maps.Keys(profiles)) {
		for _, b := range slices.Sorted(maps.Keys(profiles)) {
			pairs = append(pairs, [2]specs.LinuxSeccomp{profiles[a], profiles[b]})
		}
	}
	most, err := strconv.Atoi(os.Getenv("PAIRS"))
	if err != nil {
		most = filtertest.Few(200)
	}
	pairs = pairs[:min(len(pairs), most)]
	fromCorpus := len(pairs)
	random := fromCorpus + most
	for i := uint64(0); len(pairs) < random; i++ {
		r := rand.New(rand.NewPCG(5, i))
		f, p := filtertest.Profile(r), filtertest.Profile(r)
		if filtertest.MayNotReturn(f) || filtertest.MayNotReturn(p) {
			continue
		}
		if judgeable(f, p) {
			pairs = append(pairs, [2]specs.LinuxSeccomp{f, p})
		}
	}
	r := rand.New(rand.NewPCG(6, 6))
	total := 0
	for i, pair := range pairs {
		out, _, err := floor.Floor(pair[0], pair[1], floor.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var three filter.Stack
		for _, s := range []specs.LinuxSeccomp{pair[0], pair[1], out.Seccomp} {
			p, err := filter.Compile(&s)
			if err != nil {
				t.Fatal(err)
			}
			three = append(three, p)
		}
		step := uint32(1)
		if i >= fromCorpus {
			step = 8 // a kill costs a process, and many of these kill by default
		}
		calls := callsFor(r, step, 200)
		both, one := did(t, judge, three[:2], calls), did(t, judge, three[2:], calls)
		for i, c := range calls {
			want, _ := three[:2].Run(c)
			got, _ := three[2:].Run(c)
			if both[i] != expected(want) || one[i] != expected(got) {
				t.Fatalf("%+v: the kernel says %d and %d, the programs %s and %s", c, both[i], one[i], want, got)
			}
			total++
		}
	}
	t.Logf("%d pairs, %d calls by each side", len(pairs), total)
}

// judgeable reports whether a pair compiles and has a floor.
func judgeable(f, p specs.LinuxSeccomp) bool {
	out, _, err := floor.Floor(f, p, floor.Limits{})
	if err != nil {
		return false
	}
	for _, s := range []specs.LinuxSeccomp{f, p, out.Seccomp} {
		if _, err := filter.Compile(&s); err != nil {
			return false
		}
	}
	return true
}
