// Package strace reads what strace has written of a program: the independent witness of the calls
// that it made.
//
// Run strace with [Flags], and then call [Calls], or [Threads] for the calls of each thread.
package strace
