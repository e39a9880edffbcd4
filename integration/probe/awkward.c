/* A process that is in the way of what stops it and lends its threads (internal/tighten), in a
 * container whose first process waits for SIGTERM. There is the file READY when it is. From SIGTERM
 * on there is the file GO, and all say what a call comes to: "probe awkward HOW -- call NAME". */
#define _GNU_SOURCE
#include "awkward.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY "/ready"
#define GO "/go"
#define AGAIN "again" /* the name of a program that has executed itself */

static int asked(void) { return access(GO, F_OK) == 0; }

static void ready(void) { close(open(READY, O_CREAT | O_WRONLY, 0644)); }

static void await_go(void)
{
	ready();
	while (!asked())
		usleep(1000);
}

/* notify installs a filter that notifies of a call, or fails it with EPERM, and returns the
 * listener. */
static int notify(int call, unsigned answer)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {sizeof f / sizeof *f, f};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	int fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &p);
	if (fd < 0)
		exit(9);
	return fd;
}

/* listens has a child answer what the process itself is notified of: all may pass. */
static void listens(void)
{
	int fd = notify(SYS_keyctl, SECCOMP_RET_USER_NOTIF);
	if (fork() != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct seccomp_notif call = {0};
		struct seccomp_notif_resp answer = {0};
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
			continue;
		answer.id = call.id;
		answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

/* flees is another process each time: its parent has ended. */
static void flees(void)
{
	ready();
	while (!asked())
		if (fork() > 0)
			_exit(0);
}

static void *none(void *arg) { return arg; }

static void threads(void)
{
	ready();
	while (!asked()) {
		pthread_t t;
		if (pthread_create(&t, NULL, none, NULL) == 0)
			pthread_join(t, NULL);
	}
}

static void in_vfork(void)
{
	if (vfork() == 0) {
		await_go();
		_exit(0);
	}
}

static void vforks(char **argv)
{
	ready();
	while (!asked()) {
		if (vfork() == 0) {
			execl(argv[0], argv[0], "call", NULL);
			_exit(1);
		}
		wait(NULL);
	}
}

/* traced has the process traced by its parent, which goes on when it has ended. */
static void traced(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		while (access(READY, F_OK))
			usleep(1000);
		return;
	}
	if (ptrace(PTRACE_SEIZE, pid, 0, 0))
		exit(9);
	ready();
	while (waitpid(pid, NULL, 0) != pid)
		;
}

/* within continues as a process in namespaces of its own; the one outside waits for it. */
static void within(unsigned long namespaces)
{
	pid_t pid = syscall(SYS_clone, namespaces | SIGCHLD, 0, 0, 0, 0);
	if (pid < 0)
		exit(9);
	if (pid > 0)
		while (waitpid(pid, NULL, 0) != pid)
			;
}

static int goes_on(void *arg)
{
	*(int *)arg = 1;
	await_go();
	return 0;
}

/* shares has the memory in common with another process, which is no thread of it. */
static void shares(void)
{
	static char stack[1 << 16];
	static volatile int there;
	if (clone(goes_on, stack + sizeof stack, CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD, (void *)&there) < 0)
		exit(9);
	while (!there)
		usleep(100);
}

static void execs(char **argv)
{
	char *name = argv[0];
	ready();
	argv[0] = AGAIN;
	if (!asked())
		execv("/proc/self/exe", argv);
	argv[0] = name;
}

static void go_about(const char *how, char **argv)
{
	sigset_t all;
	sigfillset(&all);
	if (!strcmp(how, "blocks"))
		sigprocmask(SIG_SETMASK, &all, NULL);
	else if (!strcmp(how, "listens"))
		listens();
	else if (!strcmp(how, "listens to seccomp"))
		notify(SYS_seccomp, SECCOMP_RET_USER_NOTIF);
	else if (!strcmp(how, "denies seccomp"))
		close(notify(SYS_seccomp, SECCOMP_RET_ERRNO | 1));
	else if (!strcmp(how, "flees"))
		flees();
	else if (!strcmp(how, "threads"))
		threads();
	else if (!strcmp(how, "in vfork"))
		in_vfork();
	else if (!strcmp(how, "vforks"))
		vforks(argv);
	else if (!strcmp(how, "traced"))
		traced();
	else if (!strcmp(how, "shares"))
		shares();
	else if (!strcmp(how, "execs"))
		execs(argv);
	else if (!strcmp(how, "undumpable"))
		prctl(PR_SET_DUMPABLE, 0);
	else if (!strcmp(how, "pid namespace"))
		within(CLONE_NEWPID);
	else if (!strcmp(how, "user namespace"))
		within(CLONE_NEWUSER);
	else if (!strcmp(how, "both namespaces"))
		within(CLONE_NEWUSER | CLONE_NEWPID);
	else
		exit(2);
	await_go();
}

int awkward(const char *how, char **argv)
{
	if (!strcmp(argv[0], AGAIN)) {
		go_about(how, argv);
		return 0;
	}
	sigset_t term;
	int sig;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	fflush(stdout);
	signal(SIGCHLD, SIG_IGN); /* what ends is not waited for */
	if (fork() == 0) {
		signal(SIGCHLD, SIG_DFL);
		go_about(how, argv);
		return 0;
	}
	sigwait(&term, &sig);
	close(open(GO, O_CREAT | O_WRONLY, 0644));
	return 1;
}
