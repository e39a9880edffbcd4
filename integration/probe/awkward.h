/* awkward goes on in each process, when they are to say what a call comes to; it returns 1 in the
 * first one, which has others to wait for. */
int awkward(const char *how, char **argv);
