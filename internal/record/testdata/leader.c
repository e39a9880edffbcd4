// The first thread ends, another goes on.
#include <pthread.h>
#include <unistd.h>

static void *wait_long(void *arg)
{
	sleep(60);
	return arg;
}

int main(void)
{
	pthread_t thread;
	if (pthread_create(&thread, NULL, wait_long, NULL) != 0)
		return 1;
	pthread_exit(NULL);
}
