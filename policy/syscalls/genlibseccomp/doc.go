// Command genlibseccomp writes the table that says from which release on
// libseccomp knows each system call by name:
//
//	git clone --bare https://github.com/seccomp/libseccomp libseccomp.git
//	go run ./policy/syscalls/genlibseccomp libseccomp.git policy/syscalls/zlibseccomp.go
//
// It needs a clone of libseccomp with its tags, so "make generate" does not run it.
package main
