// What recorders are tested with: each word makes calls that nothing else of the program makes.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_barrier_t barrier;

static void *late(void *last) {
	pthread_barrier_wait(&barrier);
	if (last)
		syscall(SYS_add_key, 0, 0, 0, 0, 0);
	return 0;
}

// value makes a call that is told from others by its first argument.
static void value(int i) { i < 250 ? socket(1000 + i, 0, 0) : socketpair(1000 + i, 0, 0, 0); }

int main(int argc, char **argv) {
	const char *word = argv[1];
	int n = argc > 2 ? atoi(argv[2]) : 0;
	if (!strcmp(word, "many")) { // processes at once
		for (int i = 0; i < n; i++)
			if (!fork()) {
				value(i);
				_exit(0);
			}
	} else if (!strcmp(word, "brief")) { // very short ones
		for (int i = 0; i < n; i++)
			if (!vfork()) {
				if (i == n - 1)
					syscall(SYS_keyctl, 0xffff, 0, 0, 0, 0);
				_exit(0);
			}
	} else if (!strcmp(word, "threads")) {
		pthread_t t[64];
		pthread_barrier_init(&barrier, 0, n);
		for (int i = 0; i < n; i++)
			pthread_create(&t[i], 0, late, i == n - 1 ? word : 0);
		for (int i = 0; i < n; i++)
			pthread_join(t[i], 0);
	} else if (!strcmp(word, "values")) {
		for (int i = 0; i < n; i++)
			socket(1000 + i, 0, 0);
	} else if (!strcmp(word, "chain")) { // execve again and again, and a daemon
		if (n > 0) {
			char rest[16];
			snprintf(rest, sizeof rest, "%d", n - 1);
			execl(argv[0], argv[0], word, rest, (char *)0);
		}
		if (!fork()) {
			setsid();
			if (!fork()) {
				usleep(100000);
				syscall(SYS_acct, -1);
			}
			_exit(0);
		}
	} else if (!strcmp(word, "apart")) { // execve in a mount namespace that it makes itself
		if (unshare(CLONE_NEWNS))
			return 1;
		execl(argv[0], argv[0], "threads", "1", (char *)0);
	} else if (!strcmp(word, "wait")) { // for a byte, and then it makes its call
		char c;
		if (write(1, "w", 1) != 1 || read(0, &c, 1) != 1)
			return 1;
		syscall(SYS_keyctl, 0xffff, 0, 0, 0, 0);
	} else if (!strcmp(word, "loop")) { // for integration/bench: how long a call takes
		struct timespec from, to;
		clock_gettime(CLOCK_MONOTONIC, &from);
		for (int i = 0; i < n; i++)
			syscall(SYS_getppid);
		clock_gettime(CLOCK_MONOTONIC, &to);
		printf("%.1f\n", ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / n);
	} else if (!strcmp(word, "wrap")) { // others that come and go
		for (int i = 0; i < n; i++) {
			if (!vfork()) {
				syscall(SYS_acct, -1);
				_exit(0);
			}
			while (waitpid(-1, 0, WNOHANG) > 0)
				;
		}
	}
#ifdef __x86_64__
	else if (!strcmp(word, "i386")) {
		long result = SYS_getpid, i386_add_key = 286;
		__asm__ volatile("int $0x80" : "=a"(result) : "a"(i386_add_key), "b"(0), "c"(0), "d"(0), "S"(0), "D"(0) : "memory");
		syscall(SYS_getppid);
	}
#endif
	while (wait(0) > 0)
		;
	return 0;
}
