// child SOCKET FILTER VERB ...: loads the filter, hands the notify descriptor to the listener
// as a runtime does, and makes calls.
//
//	call NR [ARG...]          one call; prints its result, or -errno
//	loop NR N THREADS         N calls in each thread; prints nanoseconds a call, and how many
//	                          results differed from that of the first call
//	signals NR N              N calls while a timer interrupts; prints the same,
//	                          and how many signals there were
//	varied NR N               N calls with another first argument each
//	named NAME NR             one call by a process of that name
//	twice NR                  one call, another one after a byte from standard input
//	forks NR N                N processes, one call each, at once
//	interrupted NR            one call, with a handler of SIGUSR1 that restarts nothing; prints
//	                          its result and how many signals there were
//
// With KILLABLE in its environment it loads the filter with WAIT_KILLABLE_RECV.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

static void die(const char *what) {
	perror(what);
	exit(99);
}

static void hand(int conn, int fd) {
	static const char text[] = "{ \"ociVersion\": \"0.2.0\", \"fds\": [ \"seccompFd\" ], \"pid\": 1, \"state\": { \"id\": \"c\", \"status\": \"creating\" } }";
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {.iov_base = (void *)text, .iov_len = sizeof(text) - 1};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	if (sendmsg(conn, &m, MSG_NOSIGNAL) != sizeof(text) - 1 && errno != EPIPE) // EPIPE: it does not listen to us
		die("sendmsg");
}

static void filter(const char *path, const char *socket_path) {
	static struct sock_filter program[4096];
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	strncpy(at.sun_path, socket_path, sizeof(at.sun_path) - 1);
	int conn = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(conn, (struct sockaddr *)&at, sizeof(at)))
		die("connect");
	FILE *f = fopen(path, "r");
	if (!f)
		die(path);
	size_t n = fread(program, sizeof(program[0]), 4096, f);
	fclose(f);
	struct sock_fprog p = {.len = n, .filter = program};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("no_new_privs");
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	if (getenv("KILLABLE"))
		flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	int fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
	if (fd < 0)
		die("seccomp");
	hand(conn, fd);
	close(fd);
	close(conn);
}

static long nr, count;

static long call(long a) {
	long r = syscall(nr, a, 0, 0, 0, 0, 0);
	return r < 0 ? -errno : r;
}

static void *loop(void *differed) {
	long first = call(0);
	for (long i = 1; i < count; i++)
		*(long *)differed += call(0) != first;
	return NULL;
}

static void times(int threads) {
	struct timespec a, b;
	pthread_t t[64];
	static long differed[64 * 16];
	long all = 0;
	clock_gettime(CLOCK_MONOTONIC, &a);
	if (threads == 1) {
		loop(&differed[0]);
		all = differed[0];
	} else {
		for (int i = 0; i < threads; i++)
			if (pthread_create(&t[i], NULL, loop, &differed[i * 16]))
				die("pthread_create");
		for (int i = 0; i < threads; i++) {
			pthread_join(t[i], NULL);
			all += differed[i * 16];
		}
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	long ns = (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec;
	printf("%ld %ld\n", ns / count / threads, all);
}

static volatile sig_atomic_t ticks;
static void tick(int s) { (void)s; ticks++; }

int main(int argc, char **argv) {
	if (argc < 5)
		return 98;
	setvbuf(stdout, malloc(4096), _IOFBF, 4096);
	filter(argv[2], argv[1]);
	const char *verb = argv[3];
	nr = atol(argv[4]);
	count = argc > 5 ? atol(argv[5]) : 1;
	if (!strcmp(verb, "call")) {
		long a[6] = {0};
		for (int i = 5; i < argc && i < 11; i++)
			a[i - 5] = strtoul(argv[i], NULL, 0);
		long r = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		printf("%ld\n", r < 0 ? -errno : r);
	} else if (!strcmp(verb, "loop")) {
		times(atoi(argv[6]));
	} else if (!strcmp(verb, "signals")) {
		struct sigaction sa = {.sa_handler = tick, .sa_flags = SA_RESTART};
		struct itimerval it = {{0, 200}, {0, 200}};
		sigaction(SIGALRM, &sa, NULL);
		setitimer(ITIMER_REAL, &it, NULL);
		times(1);
		printf("%d\n", ticks);
	} else if (!strcmp(verb, "interrupted")) {
		struct sigaction sa = {.sa_handler = tick};
		sigaction(SIGUSR1, &sa, NULL);
		long r = call(0);
		printf("%ld %d\n", r, ticks);
	} else if (!strcmp(verb, "varied")) {
		long first = call(1);
		long differed = 0;
		for (long i = 2; i <= count; i++)
			differed += call(i) != first;
		printf("%ld\n", differed);
	} else if (!strcmp(verb, "named")) {
		prctl(PR_SET_NAME, argv[5], 0, 0, 0);
		printf("%ld\n", call(0));
	} else if (!strcmp(verb, "twice")) {
		char b;
		printf("%ld\n", call(0));
		fflush(stdout);
		if (read(0, &b, 1) != 1)
			die("standard input");
		printf("%ld\n", call(0));
	} else if (!strcmp(verb, "forks")) {
		for (long i = 0; i < count; i++)
			if (fork() == 0)
				_exit(call(0) == -1 ? 0 : 1);
		long wrong = 0;
		for (int status; wait(&status) > 0;)
			wrong += status != 0;
		printf("%ld\n", wrong);
	} else
		return 97;
	fflush(stdout);
	return 0;
}
