/* probe is the program that test containers run. It says what the kernel did
 * with a call, in one line each:
 *
 *   probe call NAME...   NAME: OK, or NAME: the errno's name
 *   probe status         the Seccomp lines of /proc/self/status
 *   probe pause          waits for SIGTERM or SIGINT, as a pod's sandbox does
 *   probe sleep SECONDS
 *   probe hang DIR       mounts a file system there that answers no call
 *   probe inject PID     has that process make keyctl(2): as probe call
 *
 * Several of these may follow each other, separated by "--".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

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
	if (!strcmp(name, "i386_getpid"))
		return int80(20, 0, 0, 0);
	if (!strcmp(name, "i386_keyctl"))
		return int80(288, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1);
	int known;
	long ret = trick(name, &known);
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
		} else if (!strcmp(argv[i], "sleep") && i + 1 < argc) {
			fflush(stdout);
			sleep(atoi(argv[++i]));
		} else if (strcmp(argv[i], "--")) {
			fprintf(stderr, "probe: unknown word %s\n", argv[i]);
			return 2;
		}
	}
	return 0;
}
