/* tricks are ways in which programs have tried to get past their filter. Each ends
 * in keyctl(2), which default profiles deny, unless its name says otherwise.
 */
#define _GNU_SOURCE
#include "tricks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define X32 0x40000000

static long keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1);
}

/* in_child runs f in a child, and returns as it did; a child that is killed
 * fails with EINTR. */
static long in_child(long (*f)(void))
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		_exit(f() < 0 ? errno : 0);
	waitpid(pid, &status, 0);
	if (!WIFEXITED(status))
		status = EINTR << 8;
	errno = WEXITSTATUS(status);
	return errno ? -1 : 0;
}

static long x32(void)
{
	return syscall(X32 | SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1);
}

/* x32_getpid is a call by the x32 ABI that profiles let through where they list it. */
static long x32_getpid(void) { return syscall(X32 | SYS_getpid); }

/* allowing has the process install a filter that allows all, by prctl(2) or by
 * seccomp(2) for all threads. */
static long allowing(int by_seccomp)
{
	struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {1, allow};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	if (by_seccomp ? syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program)
		       : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return -1;
	return keyring();
}

static long by_prctl(void) { return allowing(0); }
static long by_seccomp(void) { return allowing(1); }

/* apart has a child install a filter that allows all, and this process one that allows
 * pause(2) alone. It does not return. */
static long apart(void)
{
	struct sock_filter strict[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pause, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof strict / sizeof *strict, strict};
	pid_t pid = fork();
	if (pid == 0) {
		dprintf(1, "child: %s\n", allowing(0) < 0 ? "denied" : "OK");
		for (;;)
			pause();
	}
	if (pid < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return -1;
	for (;;)
		syscall(SYS_pause);
}

static void *threaded(void *result)
{
	*(long *)result = keyring() < 0 ? -errno : 0;
	return NULL;
}

static long thread(void)
{
	pthread_t t;
	long result = -EIO;
	if (pthread_create(&t, NULL, threaded, &result) == 0)
		pthread_join(t, NULL);
	errno = -result;
	return result < 0 ? -1 : 0;
}

/* exchanged has a tracer put keyctl's number in place of getppid's at the
 * child's entry: the kernel asks the filter after the tracer, since 4.8. */
static long exchanged(long options)
{
	struct user_regs_struct regs;
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(1);
		raise(SIGSTOP);
		syscall(SYS_getppid, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status)) {
		errno = EPERM;
		return -1;
	}
	if (options && ptrace(PTRACE_SETOPTIONS, pid, 0, options)) {
		int why = errno;
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		errno = why;
		return -1;
	}
	for (;;) {
		if (ptrace(PTRACE_SYSCALL, pid, 0, 0) || waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
			return -1;
		if (ptrace(PTRACE_GETREGS, pid, 0, &regs))
			return -1;
		if (regs.orig_rax == SYS_getppid)
			break;
	}
	regs.orig_rax = SYS_keyctl;
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) || ptrace(PTRACE_SYSCALL, pid, 0, 0) || waitpid(pid, &status, 0) < 0 || ptrace(PTRACE_GETREGS, pid, 0, &regs))
		return -1;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	if ((long)regs.rax < 0) {
		errno = -(long)regs.rax;
		return -1;
	}
	return 0;
}

static long suspended(void) { return exchanged(PTRACE_O_SUSPEND_SECCOMP); }

/* int80 makes an i386 call. */
static long int80(long nr, long a, long b)
{
	long ret;
	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(0) : "memory", "r8", "r9", "r10", "r11");
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return ret;
}

/* vsock makes a socket of the family that default profiles deny, by socket(2) or
 * by socketcall(2), whose arguments are in memory that no filter sees. */
static long vsock(void) { return syscall(SYS_socket, AF_VSOCK, SOCK_STREAM, 0); }

/* socketcall makes a socket as 32-bit programs of old do, by socketcall(2). */
static long socketcall(unsigned family)
{
	/* Below 4 GiB, where an i386 call can point to. */
	static __thread unsigned *args;
	args = (unsigned *)syscall(SYS_mmap, 0, 4096, 3, 0x62, -1, 0); /* MAP_PRIVATE, ANONYMOUS, 32BIT */
	args[0] = family, args[1] = SOCK_STREAM, args[2] = 0;
	return int80(102, 1, (long)args);
}

static long socketcall_vsock(void) { return socketcall(AF_VSOCK); }
static long socketcall_unix(void) { return socketcall(AF_UNIX); }

/* i386_unix and i386_vsock make one as newer 32-bit programs do, by i386's socket(2). */
static long i386_unix(void) { return int80(359, AF_UNIX, SOCK_STREAM); }
static long i386_vsock(void) { return int80(359, AF_VSOCK, SOCK_STREAM); }

/* alg, i386_alg and socketcall_alg make sockets of AF_ALG. */
static long alg(void) { return syscall(SYS_socket, AF_ALG, SOCK_SEQPACKET, 0); }
static long i386_alg(void) { return int80(359, AF_ALG, SOCK_SEQPACKET); }
static long socketcall_alg(void) { return socketcall(AF_ALG); }
static long unix_socket(void) { return syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }

/* high_unix, high_vsock and high_inet make one with a bit set that the kernel, which
 * reads an int, does not look at, and filters do. */
#define HIGH (1UL << 32)
static long high_unix(void) { return syscall(SYS_socket, HIGH | AF_UNIX, SOCK_STREAM, 0); }
static long high_vsock(void) { return syscall(SYS_socket, HIGH | AF_VSOCK, SOCK_STREAM, 0); }
static long high_inet(void) { return syscall(SYS_socket, HIGH | AF_INET, SOCK_STREAM, 0); }

static long io_uring(void)
{
	char params[120] = {0};
	return syscall(SYS_io_uring_setup, 1, params);
}

static long new_user(void)
{
	if (unshare(CLONE_NEWUSER))
		return -1;
	return keyring();
}

long trick(const char *name, int *known)
{
	*known = 1;
	if (!strcmp(name, "x32"))
		return in_child(x32);
	if (!strcmp(name, "x32_getpid"))
		return in_child(x32_getpid);
	if (!strcmp(name, "own_filter"))
		return in_child(by_prctl);
	if (!strcmp(name, "own_filter_tsync"))
		return in_child(by_seccomp);
	if (!strcmp(name, "apart"))
		return apart();
	if (!strcmp(name, "child"))
		return in_child(keyring);
	if (!strcmp(name, "thread"))
		return thread();
	if (!strcmp(name, "exchanged"))
		return exchanged(0);
	if (!strcmp(name, "suspended"))
		return suspended();
	if (!strcmp(name, "vsock"))
		return vsock();
	if (!strcmp(name, "alg"))
		return alg();
	if (!strcmp(name, "i386_alg"))
		return i386_alg();
	if (!strcmp(name, "socketcall_alg"))
		return in_child(socketcall_alg);
	if (!strcmp(name, "socketcall_vsock"))
		return in_child(socketcall_vsock);
	if (!strcmp(name, "socketcall_unix"))
		return in_child(socketcall_unix);
	if (!strcmp(name, "i386_unix"))
		return in_child(i386_unix);
	if (!strcmp(name, "i386_vsock"))
		return in_child(i386_vsock);
	if (!strcmp(name, "unix"))
		return unix_socket();
	if (!strcmp(name, "high_unix"))
		return high_unix();
	if (!strcmp(name, "high_vsock"))
		return high_vsock();
	if (!strcmp(name, "high_inet"))
		return high_inet();
	if (!strcmp(name, "io_uring"))
		return io_uring();
	if (!strcmp(name, "new_user"))
		return in_child(new_user);
	*known = 0;
	return 0;
}

long inject(int pid)
{
	struct user_regs_struct old, regs;
	int status;
	long text, ret = -1;
	if (ptrace(PTRACE_ATTACH, pid, 0, 0))
		return -1;
	waitpid(pid, &status, 0);
	ptrace(PTRACE_GETREGS, pid, 0, &old);
	regs = old;
	text = ptrace(PTRACE_PEEKTEXT, pid, old.rip, 0);
	ptrace(PTRACE_POKETEXT, pid, old.rip, 0x050f); /* syscall */
	regs.rax = SYS_keyctl, regs.rdi = KEYCTL_GET_KEYRING_ID, regs.rsi = (unsigned long)KEY_SPEC_PROCESS_KEYRING, regs.rdx = 1;
	regs.orig_rax = -1;
	if (!ptrace(PTRACE_SETREGS, pid, 0, &regs) && !ptrace(PTRACE_SINGLESTEP, pid, 0, 0)) {
		waitpid(pid, &status, 0);
		ptrace(PTRACE_GETREGS, pid, 0, &regs);
		ret = regs.rax;
	}
	ptrace(PTRACE_POKETEXT, pid, old.rip, text);
	ptrace(PTRACE_SETREGS, pid, 0, &old);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return 0;
}

void hang(const char *dir)
{
	char options[100];
	int fd = open("/dev/fuse", O_RDWR);
	snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	if (fd < 0 || mount("hang", dir, "fuse", 0, options)) {
		perror("probe: a FUSE mount");
		exit(1);
	}
	puts("hung");
	fflush(stdout);
	pause();
}
