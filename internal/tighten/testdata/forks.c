/* forks WIDTH is that many chains of processes: each makes the next and ends, so that none lives
 * longer than it takes to make one. It says "ready"; each chain says when keyctl(2) begins to fail
 * with EXDEV, and goes on. All end when standard input is closed. The first process only reaps. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int told = 0, first = 1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGCHLD, SIG_IGN);
	for (int i = atoi(argv[1]); i > 0 && first; i--)
		first = fork();
	if (first) {
		struct pollfd p = {.fd = 0};
		write(1, "ready\n", 6);
		while (poll(&p, 1, -1) != 1)
			;
		return 0;
	}
	for (;;) {
		struct pollfd p = {.fd = 0};
		if (poll(&p, 1, 0) == 1) /* POLLHUP */
			return 0;
		errno = 0;
		syscall(SYS_keyctl, 1000, 0, 0, 0, 0);
		if (errno == EXDEV && !told) {
			told = 1;
			write(1, "closed\n", 7);
		}
		if (errno != EXDEV && told) {
			write(1, "open\n", 5);
			return 1;
		}
		if (fork() != 0)
			_exit(0);
	}
}
