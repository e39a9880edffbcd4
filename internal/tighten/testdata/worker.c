/* worker is a process to tighten. Each argument names something that a thread of it does, while
 * it says "ready" and reads a line; it then says of each thread whether it went as if nothing had
 * been, and what keyctl(2) of that thread fails with. With DENY=N keyctl's own number, or with
 * KILL=N, a call of that number is denied or killed from the start; with APART=1 each thread has a
 * filter of its own; with TRY=1 one more calls keyctl all the time;
 * with IDLE=N as many more wait; with ENDS=1 a thread ends when it has done what it does. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __aarch64__
#include <sys/auxv.h>
#endif
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int ends[2][64];
static volatile int stop;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void filter(int nr, unsigned answer)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {4, f};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p)) {
		perror("filter");
		exit(9);
	}
}

/* A second of waiting is no shorter, whatever happens in between; on a busy machine it is longer. */
static int second(double began) { return now() - began > 0.99 && now() - began < 600; }

static int spin(void)
{
	/* Registers of all kinds hold what is summed up. */
	double x = 0;
	unsigned long n = 0, sum = 0;
	while (!stop) {
		for (int i = 0; i < 1000; i++) {
			sum += i ^ n;
			x += 0.5;
		}
		n++;
	}
	unsigned long want = 0;
	for (unsigned long k = 0; k < n; k++)
		for (int i = 0; i < 1000; i++)
			want += i ^ k;
	return sum == want && x == 500.0 * n;
}

/* sequence is in a restartable sequence (rseq(2)) until it is told to stop. Whoever takes it out must
 * have it begin again: in the sequence the kernel knows of it, by the second word of struct rseq. */
static int sequence(void)
{
	int broken = 0;
	long aborts = 0;
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
#ifdef __aarch64__
	__asm__ volatile(
		".pushsection __rseq_cs, \"aw\"\n .balign 32\n"
		"3: .long 0, 0\n .quad 1f, 2f - 1f, 4f\n .popsection\n"
		"5: adrp x9, 3b\n add x9, x9, :lo12:3b\n str x9, [%[area], 8]\n"
		"1: ldr w9, %[stop]\n cbnz w9, 2f\n ldr x9, [%[area], 8]\n cbnz x9, 1b\n mov w9, 1\n str w9, %[broken]\n"
		"2: b 6f\n"
		".inst 0xd428bc00\n" /* RSEQ_SIG_CODE */
		"4: b 5b\n"
		"6: str xzr, [%[area], 8]\n"
		: [broken] "+m"(broken)
		: [area] "r"(area), [stop] "m"(stop)
		: "x9", "memory", "cc");
	(void)aborts;
#else
	__asm__ volatile(
		".pushsection __rseq_cs, \"aw\"\n .balign 32\n"
		"3: .long 0, 0\n .quad 1f, 2f - 1f, 4f\n .popsection\n"
		"5: leaq 3b(%%rip), %%rax\n movq %%rax, 8(%[area])\n"
		"1: cmpl $0, %[stop]\n jne 2f\n cmpq $0, 8(%[area])\n jne 1b\n movl $1, %[broken]\n"
		"2: jmp 6f\n"
		".byte 0x0f, 0xb9, 0x3d\n .long 0x53053053\n" /* RSEQ_SIG */
		"4: incq %[aborts]\n jmp 5b\n"
		"6: movq $0, 8(%[area])\n"
		: [broken] "+m"(broken), [aborts] "+m"(aborts)
		: [area] "r"(area), [stop] "m"(stop)
		: "rax", "memory", "cc");
#endif
	return !broken;
}

/* vectors holds values in all of the vector registers until it is told to stop. A system call of its
 * own would leave only the lower 128 bits of each. */
static int vectors(void)
{
#ifdef __aarch64__
	unsigned long same = 1;
	if (!(getauxval(AT_HWCAP) & HWCAP_SVE))
		return spin();
	__asm__ volatile(
		".arch_extension sve\n"
		"ptrue p0.b\n ptrue p5.b\n mov z0.b, 7\n mov z31.b, 9\n"
		"1: ldr w9, %[stop]\n cbz w9, 1b\n"
		"cmpne p1.b, p5/z, z0.b, 7\n b.any 2f\n"
		"cmpne p1.b, p5/z, z31.b, 9\n b.any 2f\n"
		"cntp x9, p0, p5.b\n cntb x10\n cmp x9, x10\n b.eq 3f\n"
		"2: mov %[same], 0\n"
		"3:\n"
		: [same] "+r"(same)
		: [stop] "m"(stop)
		: "x9", "x10", "v0", "v31", "memory", "cc");
	return same;
#else
	return spin();
#endif
}

/* branches comes by an indirect branch to each instruction: whoever takes it out there finds that
 * the processor expects a landing pad (BTI). */
static int branches(void)
{
#ifdef __aarch64__
	__asm__ volatile(
		"1: adr x16, 2f\n br x16\n"
		"2: .inst 0xd503249f\n" /* bti j */
		"ldr w9, %[stop]\n cbz w9, 1b\n"
		:
		: [stop] "m"(stop)
		: "x9", "x16", "memory", "cc");
	return 1;
#else
	return spin();
#endif
}

static int act(const char *what, int *end)
{
	double began = now();
	struct timespec one = {1, 0};
	char c;
	if (!strcmp(what, "nanosleep"))
		return syscall(SYS_nanosleep, &one, NULL) == 0 && second(began);
	if (!strcmp(what, "clock_nanosleep"))
		return syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &one, NULL) == 0 && second(began);
	if (!strcmp(what, "futex")) {
		int word = 0;
		return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &one, NULL, 0) == -1 && errno == ETIMEDOUT && second(began);
	}
	if (!strcmp(what, "poll")) {
		struct pollfd p = {.fd = end[0], .events = POLLIN};
		return poll(&p, 1, 600000) == 1;
	}
	if (!strcmp(what, "poll-timeout"))
		return poll(NULL, 0, 1000) == 0 && second(began);
	if (!strcmp(what, "ppoll")) {
		struct pollfd p = {.fd = end[0], .events = POLLIN};
		struct timespec long_ = {600, 0};
		sigset_t s;
		sigemptyset(&s);
		return ppoll(&p, 1, &long_, &s) == 1;
	}
	if (!strcmp(what, "epoll")) {
		struct epoll_event e = {.events = EPOLLIN};
		int fd = epoll_create1(0);
		epoll_ctl(fd, EPOLL_CTL_ADD, end[0], &e);
		/* epoll_wait(2) is never restarted after a stop: a program must call it again (signal(7)). */
		int n;
		while ((n = epoll_wait(fd, &e, 1, 600000)) == -1 && errno == EINTR)
			;
		return n == 1;
	}
	if (!strcmp(what, "read"))
		return read(end[0], &c, 1) == 1;
	if (!strcmp(what, "accept")) {
		struct sockaddr_un a = {.sun_family = AF_UNIX};
		socklen_t len = sizeof a;
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		bind(fd, (void *)&a, sizeof(sa_family_t));
		listen(fd, 1);
		getsockname(fd, (void *)&a, &len);
		int to = socket(AF_UNIX, SOCK_STREAM, 0);
		if (fork() == 0) {
			read(end[0], &c, 1);
			_exit(connect(to, (void *)&a, len));
		}
		return accept(fd, NULL, NULL) >= 0;
	}
	if (!strcmp(what, "spin"))
		return spin();
	if (!strcmp(what, "sequence"))
		return sequence();
	if (!strcmp(what, "vectors"))
		return vectors();
	if (!strcmp(what, "branches"))
		return branches();
	fprintf(stderr, "%s?\n", what);
	exit(8);
}

struct job {
	char *what;
	int number;
};

static void *run(void *arg)
{
	struct job *j = arg;
	if (getenv("APART"))
		filter(SYS_getpgid, SECCOMP_RET_ERRNO | j->number);
	int end[2] = {ends[0][j->number], ends[1][j->number]};
	int ok = act(j->what, end);
	while (!stop && !getenv("ENDS"))
		usleep(1000);
	errno = 0;
	syscall(SYS_keyctl, 1000, 0, 0, 0, 0);
	printf("%s %s %d\n", j->what, ok ? "ok" : "BROKEN", errno);
	return NULL;
}

static void *try(void *arg)
{
	while (!stop)
		syscall(SYS_keyctl, 1000, 0, 0, 0, 0);
	return NULL;
}

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

int main(int argc, char **argv)
{
	static struct job jobs[64];
	pthread_t t[64], tries;
	if (getenv("DENY"))
		filter(atoi(getenv("DENY")), SECCOMP_RET_ERRNO | EPERM);
	if (getenv("KILL"))
		filter(atoi(getenv("KILL")), SECCOMP_RET_KILL_PROCESS);
	for (int i = 1; i < argc; i++) {
		int end[2];
		if (pipe(end))
			return 7;
		ends[0][i] = end[0];
		ends[1][i] = end[1];
		jobs[i] = (struct job){argv[i], i};
		pthread_create(&t[i], NULL, run, &jobs[i]);
	}
	for (int i = getenv("IDLE") ? atoi(getenv("IDLE")) : 0; i > 0; i--)
		pthread_create(&tries, NULL, idle, NULL);
	if (getenv("TRY"))
		pthread_create(&tries, NULL, try, NULL);
	usleep(100 * 1000);
	puts("ready");
	fflush(stdout);
	char c;
	if (read(0, &c, 1) != 1)
		return 6;
	stop = 1;
	for (int i = 1; i < argc; i++)
		if (write(ends[1][i], "x", 1) != 1)
			return 5;
	for (int i = 1; i < argc; i++)
		pthread_join(t[i], NULL);
	errno = 0;
	syscall(SYS_keyctl, 1000, 0, 0, 0, 0);
	printf("main ok %d\n", errno);
	return 0;
}
