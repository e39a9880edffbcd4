/* still is a process for Live to read: it says "ready" and then
 *   sleep    waits,
 *   vfork    waits in vfork(2), in state D, for a child that never executes anything,
 *   thread   does so while a second thread of it waits where it can be stopped,
 *   leader   lets its first thread end while a second one goes on,
 *   trace P  has seized process P,
 *   count    counts SIGRTMIN until SIGTERM, and says how many there were.
 * Filter it by FILTERED=1: getpid(2) fails with EPERM. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile sig_atomic_t got;

static void count(int sig) { got++; }

static void ready(void)
{
	puts("ready");
	fflush(stdout);
}

static void stay(void)
{
	ready();
	for (;;)
		pause();
}

static void in_vfork(void)
{
	if (vfork() == 0)
		for (;;)
			pause();
}

static void *second(void *what)
{
	if (!strcmp(what, "thread"))
		usleep(100 * 1000); /* the first thread is in vfork */
	stay();
	return NULL;
}

static void filter(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {sizeof f / sizeof *f, f};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p))
		exit(1);
}

int main(int argc, char **argv)
{
	char *what = argv[1];
	pthread_t t;

	if (getenv("FILTERED"))
		filter();
	if (!strcmp(what, "sleep"))
		stay();
	if (!strcmp(what, "vfork")) {
		ready();
		in_vfork();
	}
	if (!strcmp(what, "thread")) {
		pthread_create(&t, NULL, second, what);
		in_vfork();
	}
	if (!strcmp(what, "leader")) {
		pthread_create(&t, NULL, second, what);
		pthread_exit(NULL);
	}
	if (!strcmp(what, "trace")) {
		if (ptrace(PTRACE_SEIZE, atoi(argv[2]), 0, 0))
			return 1;
		stay();
	}
	if (!strcmp(what, "count")) {
		sigset_t term;
		int sig;
		sigemptyset(&term);
		sigaddset(&term, SIGTERM);
		sigprocmask(SIG_BLOCK, &term, NULL);
		signal(SIGRTMIN, count);
		ready();
		sigwait(&term, &sig);
		printf("%d\n", got);
	}
	return 1;
}
