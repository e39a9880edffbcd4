// Package decode writes a system call with its arguments as people read it, such as
// unshare(CLONE_NEWNS|CLONE_NEWUSER) or socket(AF_VSOCK, SOCK_STREAM, 0).
//
//	decode.go     Call and Arguments
//	value.go      how one argument is written: a word, flags, a number, an address
//	calls.go      which arguments the calls have that filters usually deny
//	words.go      the words of golang.org/x/sys/unix; words_process.go, words_mount.go
//
// What an address leads to is not read: the process may change it while others look. Such an
// argument is written as an ellipsis.
package decode
