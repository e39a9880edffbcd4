package enforce

// Version is Batten's version; the linker sets it (see Makefile).
var Version = "devel"
