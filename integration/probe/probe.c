/* probe is the program that test containers run. It says what the kernel did
 * with a call, in one line each:
 *
 *   probe call NAME...   NAME: OK, or NAME: the errno's name
 *   probe status         the Seccomp lines of /proc/self/status
 *   probe pause          waits for SIGTERM or SIGINT, as a pod's sandbox does
 *   probe sleep SECONDS
 *   probe churn          has a process beside it that makes others all the time
 *   probe await          waits for SIGTERM, and passes it on to all if it is the first process
 *   probe crowd N THREADS
 *                        N processes more do what follows, each with threads that only wait
 *   probe awkward HOW    until SIGTERM there is a process more that is in the way (awkward.c)
 *   probe loop NAME N    makes the call N times, and says how many nanoseconds one took
 *   probe hang DIR       mounts a file system there that answers no call
 *   probe many NAME N THREADS
 *                        makes the call N times in each thread, and says how often it got
 *                        which errno
 *   probe alarmed NAME N RESTART
 *                        the same, while a timer sends signals whose handler has SA_RESTART
 *                        or not
 *   probe kinds N        the same of personality(2) with N arguments
 *   probe steal SOCKET   listens there, and lets all through that it is notified of
 *   probe close PID FD   has that process close a descriptor
 *   probe inject PID     has that process make keyctl(2): as probe call
 *
 * Several of these may follow each other, separated by "--".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "awkward.h"
#include "denied.h"
#include "tricks.h"

/* int80 makes a call through the i386 ABI, which a 64-bit program may. */
static long int80(long nr, long a, long b, long c)
{
#ifdef __x86_64__
	long ret;
	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory", "r8", "r9", "r10", "r11");
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return ret;
#else
	errno = ENOSYS;
	return -1;
#endif
}

/* child makes one by clone(2) with the flags. */
static long child(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid;
}

/* setxattrat is by number: Linux has it since 6.13, the C library and libseccomp
 * here do not. */
static long setxattrat(void)
{
	struct { unsigned long long value; unsigned int size, flags; } args = {(unsigned long)"x", 1, 0};
	int fd = memfd_create("probe", 0);
	return syscall(463, fd, "", AT_EMPTY_PATH, "user.batten", &args, sizeof args);
}

/* Arguments are chosen so that the kernel, unfiltered, answers with success
 * or with an errno that no filter here gives. */
static long make(const char *name)
{
	if (!strcmp(name, "getpid"))
		return syscall(SYS_getpid);
	if (!strcmp(name, "keyctl"))
		return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1);
	if (!strcmp(name, "add_key"))
		return syscall(SYS_add_key, "user", "batten", "x", 1, KEY_SPEC_PROCESS_KEYRING);
	if (!strcmp(name, "unshare"))
		return syscall(SYS_unshare, CLONE_NEWUSER);
	if (!strcmp(name, "bpf"))
		return syscall(SYS_bpf, 9999, NULL, 0);
	if (!strcmp(name, "set_mempolicy"))
		return syscall(SYS_set_mempolicy, 0, NULL, 0);
	if (!strcmp(name, "perf_event_open"))
		return syscall(SYS_perf_event_open, NULL, 0, -1, -1, ~0UL);
	if (!strcmp(name, "clone"))
		return child(0);
	if (!strcmp(name, "clone_newuts"))
		return child(CLONE_NEWUTS);
	if (!strcmp(name, "mount"))
		return syscall(SYS_mount, "none", "/nowhere", "tmpfs", 0, NULL);
	if (!strcmp(name, "chmod"))
		return syscall(SYS_fchmodat, -100, "/nowhere", 0);
	if (!strcmp(name, "mkdir"))
		return syscall(SYS_mkdirat, -100, "/proc/nowhere", 0);
	if (!strcmp(name, "setxattrat"))
		return setxattrat();
	if (!strcmp(name, "i386_getpid"))
		return int80(20, 0, 0, 0);
	if (!strcmp(name, "i386_keyctl"))
		return int80(288, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1);
	int known;
	long ret = trick(name, &known);
	if (!known)
		ret = denied(name, &known);
	if (known)
		return ret;
	fprintf(stderr, "probe: unknown call %s\n", name);
	exit(2);
}

static void status(void)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");
	if (!f) {
		perror("probe: /proc/self/status");
		exit(1);
	}
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, "Seccomp", 7) || !strncmp(line, "NoNewPrivs", 10))
			fputs(line, stdout);
	fclose(f);
}

static void wait_for_signal(void)
{
	sigset_t set;
	int sig;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&set, &sig);
}

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int crowded; /* whether there are processes to wait for */

static void crowd(int processes, int threads)
{
	pthread_t t;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (; processes > 0; processes--) {
		if (fork() == 0) {
			while (threads-- > 0)
				pthread_create(&t, NULL, idle, NULL);
			return;
		}
	}
	crowded = 1;
}

static void churn(void)
{
	if (fork() != 0)
		return;
	for (;;) {
		if (fork() == 0)
			_exit(0);
		wait(NULL);
	}
}

/* loop measures one call. */
static void loop(const char *name, long times)
{
	struct timespec began, ended;
	clock_gettime(CLOCK_MONOTONIC, &began);
	for (long i = 0; i < times; i++)
		make(name);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	printf("%.0f\n", ((ended.tv_sec - began.tv_sec) * 1e9 + (ended.tv_nsec - began.tv_nsec)) / times);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "call")) {
			for (i++; i < argc && strcmp(argv[i], "--"); i++) {
				errno = 0;
				long ret = make(argv[i]);
				printf("%s: %s\n", argv[i], ret < 0 ? strerrorname_np(errno) : "OK");
			}
		} else if (!strcmp(argv[i], "inject") && i + 1 < argc) {
			long ret = inject(atoi(argv[++i]));
			printf("inject: %s\n", ret < 0 ? strerrorname_np(errno) : "OK");
		} else if (!strcmp(argv[i], "hang") && i + 1 < argc) {
			hang(argv[++i]);
		} else if (!strcmp(argv[i], "status")) {
			status();
		} else if (!strcmp(argv[i], "pause")) {
			fflush(stdout);
			wait_for_signal();
			return 0;
		} else if (!strcmp(argv[i], "await")) {
			fflush(stdout);
			wait_for_signal();
			if (getpid() == 1)
				kill(-1, SIGTERM);
		} else if (!strcmp(argv[i], "churn")) {
			churn();
		} else if (!strcmp(argv[i], "awkward") && i + 1 < argc) {
			crowded = awkward(argv[++i], argv);
		} else if (!strcmp(argv[i], "crowd") && i + 2 < argc) {
			crowd(atoi(argv[i + 1]), atoi(argv[i + 2]));
			i += 2;
		} else if (!strcmp(argv[i], "loop") && i + 2 < argc) {
			loop(argv[i + 1], atol(argv[i + 2]));
			i += 2;
		} else if (!strcmp(argv[i], "many") && i + 3 < argc) {
			many(make, argv[i + 1], atol(argv[i + 2]), atol(argv[i + 3]));
			i += 3;
		} else if (!strcmp(argv[i], "alarmed") && i + 3 < argc) {
			alarmed(make, argv[i + 1], atol(argv[i + 2]), atoi(argv[i + 3]));
			i += 3;
		} else if (!strcmp(argv[i], "kinds") && i + 1 < argc) {
			kinds(atol(argv[++i]));
		} else if (!strcmp(argv[i], "close") && i + 2 < argc) {
			long ret = close_in(atoi(argv[i + 1]), atoi(argv[i + 2]));
			printf("close: %s\n", ret < 0 ? strerrorname_np(errno) : "OK");
			i += 2;
		} else if (!strcmp(argv[i], "steal") && i + 1 < argc) {
			long ret = steal(argv[++i]);
			printf("steal: %s\n", ret < 0 ? strerrorname_np(errno) : "OK");
		} else if (!strcmp(argv[i], "sleep") && i + 1 < argc) {
			fflush(stdout);
			sleep(atoi(argv[++i]));
		} else if (strcmp(argv[i], "--")) {
			fprintf(stderr, "probe: unknown word %s\n", argv[i]);
			return 2;
		}
	}
	fflush(stdout);
	while (crowded && wait(NULL) > 0)
		;
	return 0;
}
