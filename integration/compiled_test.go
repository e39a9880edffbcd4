package integration

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/policy/bpf"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/filter/filtertest"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var update = flag.Bool("update", false, "rewrite what policy/filter's own tests hold Compile to")

// named are the syscalls that the profiles here name: none that a runtime, or the
// program in the container, needs.
var named = []string{
	"keyctl", "socketcall", "ipc", "semop", "shmat", "personality", "bpf", "umount", "futex_waitv", "memfd_secret",
	"landlock_create_ruleset", "cachestat", "nosuchcall", "add_key", "userfaultfd", "quotactl", "acct", "swapon", "kexec_load",
}

// needed are those that they do.
var needed = strings.Fields(`read write close close_range openat openat2 open fstat newfstatat stat lstat statx lseek mmap
	mprotect munmap mremap madvise brk rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack ioctl pread64 pwrite64 access
	faccessat faccessat2 pipe2 select sched_yield dup dup2 dup3 nanosleep clock_nanosleep getpid getppid gettid sendto sendmsg
	recvmsg recvfrom clone clone3 execve execveat exit exit_group wait4 waitid kill tgkill tkill uname fcntl fchdir chdir
	getcwd getdents64 setuid setgid setgroups getuid getgid geteuid getegid setresuid setresgid capget capset prctl
	arch_prctl futex sched_getaffinity set_tid_address set_robust_list clock_gettime epoll_create1 epoll_ctl epoll_pwait
	prlimit64 getrandom rseq pause readlink readlinkat setsid umask fchown statfs fstatfs mkdirat unlinkat mount umount2
	eventfd2 restart_syscall seccomp membarrier`)

// TestCompiled: what runc and crun have the kernel load for a random profile is what
// filter.Compile makes of it, for every call; crun has no stub that says ENOSYS to
// calls newer than the profile. PROFILES is how many profiles a runtime is given.
func TestCompiled(t *testing.T) {
	n := node.Bare(t, newest)
	want := node.Often(t, "PROFILES", 12)
	var loaded []filtertest.Loaded
	r := rand.New(rand.NewPCG(8, uint64(want)))
	for _, runtime := range []string{"runc", "crun"} {
		judged, refused, failed, made := 0, 0, 0, 0
		for ; judged < want && made < 8*want; made++ {
			profile := filtertest.ProfileOf(r, named)
			if runtime == "crun" {
				fitCrun(&profile)
			}
			if filtertest.MayNotReturn(profile) {
				continue
			}
			profile.Syscalls = append(profile.Syscalls, specs.LinuxSyscall{Names: needed, Action: specs.ActAllow})
			compiled, err := filter.Compile(&profile)
			live, runtimeErr := load(t, n, runtime, fmt.Sprintf("%s%d", runtime, made), &profile)
			switch {
			case err != nil && runtimeErr != nil:
				refused++
			case err != nil && runtime == "runc":
				t.Errorf("runc takes what Compile refuses (%v): %s", err, inJSON(t, profile))
			case runtimeErr != nil && strings.Contains(runtimeErr.Error(), "seccomp"):
				t.Errorf("%s refuses what Compile takes: %v: %s", runtime, runtimeErr, inJSON(t, profile))
			case err != nil || runtimeErr != nil:
				failed++ // as by its default, of a call that is not in needed
			default:
				judged++
				checkCompiled(t, runtime, &profile, compiled, live)
				checkComparedLive(t, runtime, &profile, live)
				if stubbed := profile.DefaultAction == specs.ActErrno; runtime == "runc" && len(live) == 1 && (len(loaded) < 4 || stubbed && len(loaded) < 12) {
					loaded = append(loaded, filtertest.Loaded{Profile: profile, Instructions: live[0].Instructions})
				}
			}
		}
		t.Logf("%s: %d profiles: %d compared, %d refused by both, %d not started", runtime, made, judged, refused, failed)
		if judged == 0 {
			t.Errorf("%s: none was compared", runtime)
		}
	}
	if *update {
		writeFile(t, filepath.Join(node.Root(), "policy/filter/filtertest/testdata/runc/loaded.json"), inJSON(t, loaded))
	}
}

// fitCrun takes from a profile what crun refuses, errnos of actions that have none,
// and x32: with it crun, which asks libseccomp for no binary tree, may have the kernel
// load a filter that matches nothing (policy/profile/entangled.go). runc does so for
// small profiles only, and Compile for all that runc does.
func fitCrun(s *specs.LinuxSeccomp) {
	s.Architectures = slices.DeleteFunc(s.Architectures, func(a specs.Arch) bool { return a == specs.ArchX32 })
	has := func(a specs.LinuxSeccompAction) bool { return a == specs.ActErrno || a == specs.ActTrace }
	if !has(s.DefaultAction) {
		s.DefaultErrnoRet = nil
	}
	for i := range s.Syscalls {
		if !has(s.Syscalls[i].Action) {
			s.Syscalls[i].ErrnoRet = nil
		}
	}
}

// checkCompiled compares for every call.
func checkCompiled(t *testing.T, runtime string, profile *specs.LinuxSeccomp, compiled *filter.Program, live filter.Stack) {
	t.Helper()
	changes, err := filter.Diff(filter.Stack{compiled}, live)
	if err != nil {
		t.Errorf("%s: %v: %s", runtime, err, inJSON(t, profile))
	}
	for _, c := range changes {
		if c.Kind == filter.Loads { // the kernel does not tell what flags a filter was loaded with
			continue
		}
		stub := c.Witness.First == filter.Result{Action: unix.SECCOMP_RET_ERRNO, Data: uint16(unix.ENOSYS)}
		if runtime == "crun" && stub {
			continue
		}
		t.Errorf("%s: %s: %s: %s", runtime, c.Kind, c.Witness, inJSON(t, profile))
	}
}

// checkComparedLive: what Batten would say of the container is never that its filter is
// looser than its profile.
func checkComparedLive(t *testing.T, runtime string, s *specs.LinuxSeccomp, live filter.Stack) {
	t.Helper()
	program, err := bpf.Check(live[0].Instructions)
	if err != nil {
		t.Errorf("%s: %v: %s", runtime, err, inJSON(t, s))
		return
	}
	c, err := semantics.CompareLive(s, program)
	if err != nil || c.Looser != nil || len(c.Skipped) > 0 {
		t.Errorf("%s: %+v (%v): %s", runtime, c, err, inJSON(t, s))
	}
}

// load has the runtime start a container with the profile, and reads what the kernel
// holds for it.
func load(t *testing.T, n *node.Node, runtime, id string, profile *specs.LinuxSeccomp) (filter.Stack, error) {
	t.Helper()
	bundle, pidFile := n.Bundle("bundle", id, "/probe", "pause"), filepath.Join(n.Dir, id+".pid")
	putProfile(t, filepath.Join(bundle, "config.json"), profile)
	call := func(args ...string) error {
		return callRuntime(t, n, append([]string{runtime, "--root", filepath.Join(n.Dir, "state")}, args...)...)
	}
	defer func() { _ = call("delete", "--force", id) }()
	if err := call("create", "--bundle", bundle, "--pid-file", pidFile, id); err != nil {
		return nil, err
	}
	if err := call("start", id); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, err
	}
	// Not WaitForExecOf: a profile may have killed the process.
	for range 100 {
		if err = node.LeftRuntime(pid); err == nil {
			return filter.Live(pid)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, err
}

// putProfile puts a profile into a bundle's spec.
func putProfile(t *testing.T, config string, profile *specs.LinuxSeccomp) {
	t.Helper()
	var spec specs.Spec
	data, err := os.ReadFile(config)
	if err == nil {
		err = json.Unmarshal(data, &spec)
	}
	if err != nil {
		t.Fatal(err)
	}
	spec.Process.NoNewPrivileges = false
	spec.Linux.Seccomp = profile
	writeFile(t, config, inJSON(t, spec))
}

// callRuntime calls a runtime on the node. One whose container was killed before it
// began may wait for it: it is ended after a time.
func callRuntime(t *testing.T, n *node.Node, args ...string) error {
	t.Helper()
	said, err := os.Create(filepath.Join(n.Dir, "said"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := n.Command(args...)
	cmd.Stdout, cmd.Stderr = said, said
	stop := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(said.Name())
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}

func inJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
