/* trick makes a forbidden call by a way round, and returns what came of it as
 * syscall(2) does. It sets *known to 0 where there is no such trick. */
long trick(const char *name, int *known);

/* inject has a process that is running make keyctl(2), and returns what it got. */
long inject(int pid);

/* hang mounts a file system on a directory that answers no call, and waits. */
void hang(const char *dir);
