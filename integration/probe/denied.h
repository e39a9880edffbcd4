/* denied makes a forbidden call in a way that a listener which sees denials might take wrong.
 * It returns as trick does. */
long denied(const char *name, int *known);

/* many makes a call in several threads, and says how often it got which errno. */
void many(long (*make)(const char *), const char *name, long times, long threads);

/* alarmed makes a call while signals come, and says the same. Without restart, the signals'
 * handler has calls fail with EINTR that the kernel does not restart by itself. */
void alarmed(long (*make)(const char *), const char *name, long times, int restart);

/* kinds makes one call with many values of an argument, and says the same. */
void kinds(long times);

/* steal listens on a Unix socket in place of whoever has it, and lets each call through that it
 * is asked about. It returns as bind(2) does, or not at all. */
long steal(const char *path);

/* close_in has a process that waits in a system call close a descriptor. */
long close_in(int pid, int fd);
