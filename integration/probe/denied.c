/* What follows is for the listener that sees denials: many of them, interrupted ones, and ways
 * round it. */
#define _GNU_SOURCE
#include "denied.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ERRNOS = 134 };

static void count(long counts[ERRNOS], long ret)
{
	int e = ret < 0 ? errno : 0;
	counts[e < ERRNOS ? e : 0]++;
}

static void say(const char *name, long counts[ERRNOS])
{
	printf("%s:", name);
	for (int e = 0; e < ERRNOS; e++)
		if (counts[e])
			printf(" %s %ld", e ? strerrorname_np(e) : "OK", counts[e]);
	printf("\n");
	fflush(stdout);
}

struct work {
	long (*make)(const char *);
	const char *name;
	long times, counts[ERRNOS];
};

static void *one_of_many(void *arg)
{
	struct work *w = arg;
	for (long i = 0; i < w->times; i++)
		count(w->counts, w->make(w->name));
	return NULL;
}

void many(long (*make)(const char *), const char *name, long times, long threads)
{
	struct work *work = calloc(threads, sizeof *work);
	pthread_t *ids = calloc(threads, sizeof *ids);
	long counts[ERRNOS] = {0};
	for (long i = 0; i < threads; i++) {
		work[i].make = make, work[i].name = name, work[i].times = times;
		if (pthread_create(&ids[i], NULL, one_of_many, &work[i])) {
			fprintf(stderr, "probe: no thread\n");
			exit(1);
		}
	}
	for (long i = 0; i < threads; i++) {
		pthread_join(ids[i], NULL);
		for (int e = 0; e < ERRNOS; e++)
			counts[e] += work[i].counts[e];
	}
	say(name, counts);
}

static volatile long alarms;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

void alarmed(long (*make)(const char *), const char *name, long times, int restart)
{
	struct sigaction act = {.sa_handler = on_alarm, .sa_flags = restart ? SA_RESTART : 0};
	struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
	long counts[ERRNOS] = {0};
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (long i = 0; i < times || alarms < 20; i++) {
		long ret = make(name);
		if (i < times)
			count(counts, ret);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	say(name, counts);
}

void kinds(long times)
{
	long counts[ERRNOS] = {0};
	for (long i = 0; i < times; i++)
		count(counts, syscall(SYS_personality, 0x100000 + i));
	say("personality", counts);
}

static long keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1);
}

/* let_through answers all calls that fd notifies of with CONTINUE. */
static void *let_through(void *arg)
{
	int fd = *(int *)arg;
	for (;;) {
		char call[256] = {0};
		struct seccomp_notif_resp answer = {.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, call)) {
			if (errno == EINTR || errno == ENOENT)
				continue;
			return NULL;
		}
		answer.id = ((struct seccomp_notif *)call)->id;
		ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

/* own_listener has the process install a filter that notifies the process itself, which lets
 * each call through. */
static long own_listener(void)
{
	struct sock_filter ask[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof ask / sizeof *ask, ask};
	static int fd;
	pthread_t t;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	if ((fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program)) < 0)
		return -1;
	if (pthread_create(&t, NULL, let_through, &fd))
		return -1;
	return keyring();
}

static char raced_type[8] = "user";

static void *races(void *arg)
{
	(void)arg;
	for (;;) {
		*(volatile char *)raced_type = 'x';
		*(volatile char *)raced_type = 'u';
	}
	return NULL;
}

/* raced makes a call whose argument in memory changes all the time. */
static long raced(void)
{
	pthread_t t;
	if (pthread_create(&t, NULL, races, NULL))
		return -1;
	long ret = -1;
	for (int i = 0; i < 5000 && ret < 0; i++)
		ret = syscall(SYS_add_key, raced_type, "batten", "x", 1, KEY_SPEC_PROCESS_KEYRING);
	return ret;
}

/* named makes the call with a name that looks like a line of a log. */
static long named(void)
{
	if (prctl(PR_SET_NAME, "x\"}\n{\"id\":\"y\"}\n", 0, 0, 0))
		return -1;
	return keyring();
}

/* in_child is that of tricks.c, for functions that change the process for good. */
static long in_child(long (*f)(void))
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		_exit(f() < 0 ? errno : 0);
	waitpid(pid, &status, 0);
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
	return errno ? -1 : 0;
}

long denied(const char *name, int *known)
{
	*known = 1;
	if (!strcmp(name, "own_listener"))
		return in_child(own_listener);
	if (!strcmp(name, "raced"))
		return in_child(raced);
	if (!strcmp(name, "named"))
		return in_child(named);
	*known = 0;
	return 0;
}

long steal(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	strncpy(at.sun_path, path, sizeof at.sun_path - 1);
	unlink(path);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	if (s < 0 || bind(s, (struct sockaddr *)&at, sizeof at) || listen(s, 8))
		return -1;
	printf("listening\n");
	fflush(stdout);
	for (;;) {
		char text[65536], control[CMSG_SPACE(16 * sizeof(int))];
		struct iovec iov = {text, sizeof text};
		struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
		int conn = accept(s, NULL, NULL);
		if (conn < 0)
			return -1;
		if (recvmsg(conn, &m, 0) > 0 && CMSG_FIRSTHDR(&m)) {
			int *fd = malloc(sizeof *fd);
			pthread_t t;
			memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof *fd);
			pthread_create(&t, NULL, let_through, fd);
		}
		close(conn);
	}
}

long close_in(int pid, int fd)
{
	struct user_regs_struct old, regs;
	int status;
	long ret = -1;
	if (ptrace(PTRACE_SEIZE, pid, 0, 0) || ptrace(PTRACE_INTERRUPT, pid, 0, 0) || waitpid(pid, &status, __WALL) < 0)
		return -1;
	ptrace(PTRACE_GETREGS, pid, 0, &old);
	regs = old;
	regs.rip -= 2; /* the call in which the thread waits */
	if ((ptrace(PTRACE_PEEKTEXT, pid, regs.rip, 0) & 0xffff) == 0x050f) {
		regs.orig_rax = -1, regs.rax = SYS_close, regs.rdi = fd;
		if (!ptrace(PTRACE_SETREGS, pid, 0, &regs) && !ptrace(PTRACE_SINGLESTEP, pid, 0, 0) && waitpid(pid, &status, __WALL) > 0) {
			ptrace(PTRACE_GETREGS, pid, 0, &regs);
			ret = regs.rax;
		}
		ptrace(PTRACE_SETREGS, pid, 0, &old);
	}
	ptrace(PTRACE_DETACH, pid, 0, 0);
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return 0;
}
