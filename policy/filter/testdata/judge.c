/* judge makes system calls under seccomp filters and says what the kernel did.
 * From standard input, in the machine's byte order: the number of filters, and
 * of each its length and instructions, first installed first; the number of
 * calls, and of each the ABI (1 is i386's, on x86_64 alone), the number and six arguments. To
 * standard output a number for each call: its errno, 1000 for a SIGSYS that a
 * handler can catch, 2000 for a kill.
 *
 * No call is carried out: one more filter has all of them traced, and without a
 * tracer that is ENOSYS (seccomp(2)). So ALLOW, LOG and TRACE look alike. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct call {
	uint32_t abi, nr;
	uint64_t args[6];
};

static jmp_buf trapped;

static void on_sigsys(int sig)
{
	longjmp(trapped, sig);
}

static void get(void *to, size_t n)
{
	if (n && fread(to, n, 1, stdin) != 1) {
		fprintf(stderr, "judge: short input\n");
		exit(1);
	}
}

#ifdef __aarch64__
#define NATIVE AUDIT_ARCH_AARCH64

static long make(const struct call *c)
{
	register uint64_t x8 __asm__("x8") = c->nr;
	register uint64_t x0 __asm__("x0") = c->args[0];
	register uint64_t x1 __asm__("x1") = c->args[1];
	register uint64_t x2 __asm__("x2") = c->args[2];
	register uint64_t x3 __asm__("x3") = c->args[3];
	register uint64_t x4 __asm__("x4") = c->args[4];
	register uint64_t x5 __asm__("x5") = c->args[5];
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}
#else
#define NATIVE AUDIT_ARCH_X86_64

static long make(const struct call *c)
{
	long ret;
	if (c->abi) {
		__asm__ volatile("push %%rbp; mov %7, %%ebp; int $0x80; pop %%rbp"
				 : "=a"(ret)
				 : "a"(c->nr), "b"((uint32_t)c->args[0]), "c"((uint32_t)c->args[1]), "d"((uint32_t)c->args[2]),
				   "S"((uint32_t)c->args[3]), "D"((uint32_t)c->args[4]), "r"((uint32_t)c->args[5])
				 : "memory", "r8", "r9", "r10", "r11");
		return (int32_t)ret;
	}
	register uint64_t r10 __asm__("r10") = c->args[3];
	register uint64_t r8 __asm__("r8") = c->args[4];
	register uint64_t r9 __asm__("r9") = c->args[5];
	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"((uint64_t)c->nr), "D"(c->args[0]), "S"(c->args[1]), "d"(c->args[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "memory", "rcx", "r11");
	return ret;
}
#endif

int main(void)
{
	uint32_t filters, calls, i;
	struct sock_fprog progs[8];
	/* Installing the next filter must stay possible. */
	static const struct sock_filter before[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_seccomp, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	get(&filters, 4);
	for (i = 0; i < filters; i++) {
		uint32_t len;
		get(&len, 4);
		struct sock_filter *f = calloc(len + 5, sizeof *f);
		for (int k = 0; k < 5; k++)
			f[k] = before[k];
		get(f + 5, len * sizeof *f);
		progs[i].len = len + 5;
		progs[i].filter = f;
	}
	static struct sock_filter traced[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE) };
	progs[filters].len = 1;
	progs[filters].filter = traced;
	get(&calls, 4);
	struct call *c = calloc(calls, sizeof *c);
	get(c, calls * sizeof *c);
	volatile int32_t *out = mmap(NULL, (calls + 2) * 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	volatile int32_t *next = out + calls;
	volatile int32_t *done = out + calls + 1;
	while (!*done) {
		pid_t pid = fork();
		if (pid == 0) {
			struct sigaction sa = { .sa_handler = on_sigsys, .sa_flags = SA_NODEFER };
			sigaction(SIGSYS, &sa, NULL);
			for (i = 0; i <= filters; i++)
				if (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &progs[i])) {
					perror("judge: seccomp");
					_exit(1);
				}
			while (*next < (int32_t)calls) {
				int k = *next;
				out[k] = 2000;
				*next = k + 1;
				out[k] = setjmp(trapped) ? 1000 : (int32_t)-make(&c[k]);
			}
			*done = 1;
			for (;;)
				;
		}
		int status;
		while (!*done && waitpid(pid, &status, WNOHANG) == 0)
			usleep(50);
		if (*done) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
		} else if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS) {
			fprintf(stderr, "judge: the child ended with status %#x at call %d\n", status, *next);
			return 1;
		} else if (*next >= (int32_t)calls) {
			*done = 1;
		}
	}
	fwrite((void *)out, 4, calls, stdout);
	return 0;
}
