/* awkward HOW is a process that is in the way: it says "ready" and then
 *   blocks    blocks all signals,
 *   listens   has a filter that notifies a listener of its own of getpgid(2), and never answers,
 *   execs     executes itself again all the time,
 *   strict    is in the strict mode of seccomp(2), in which no other call is to be had,
 *   stopped   stops itself (SIGSTOP), a job that was put away,
 *   waits     waits for its standard input until a signal interrupts that (SIGUSR1),
 *   vforks    makes a child by vfork(2) all the time, which executes a program that ends,
 * until its standard input has a byte. It then says what keyctl(2) fails with. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int asked(int limit)
{
	struct pollfd p = {.fd = 0, .events = POLLIN};
	return poll(&p, 1, limit) == 1;
}

static void listens(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {4, f};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &p) < 0)
		exit(9);
}

static void nothing(int signal) {}

int main(int argc, char **argv)
{
	char *how = argv[1];
	struct sigaction handler = {.sa_handler = nothing}; /* without SA_RESTART */
	sigaction(SIGUSR1, &handler, NULL);
	if (argc == 2) {
		puts("ready");
		fflush(stdout);
	}
	if (!strcmp(how, "blocks")) {
		sigset_t all;
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
	} else if (!strcmp(how, "listens")) {
		listens();
	} else if (!strcmp(how, "execs")) {
		if (!asked(0))
			execl("/proc/self/exe", argv[0], how, "again", NULL);
	} else if (!strcmp(how, "strict")) {
		char c;
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		while (read(0, &c, 1) != 1)
			;
		write(1, "18\n", 3);
		syscall(SYS_exit, 0);
	} else if (!strcmp(how, "stopped")) {
		raise(SIGSTOP);
	} else if (!strcmp(how, "waits")) {
		char c;
		if (read(0, &c, 1) != -1 || errno != EINTR)
			return puts("it waits on") < 0;
	} else if (!strcmp(how, "vforks")) {
		while (!asked(0)) {
			if (vfork() == 0) {
				execl("/bin/true", "true", NULL);
				_exit(1);
			}
			wait(NULL);
		}
	}
	while (!asked(-1))
		;
	errno = 0;
	syscall(SYS_keyctl, 1000, 0, 0, 0, 0);
	printf("%d\n", errno);
	return 0;
}
