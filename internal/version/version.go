package version

// Version is the release; the linker sets it (see Makefile).
var Version = "devel"
