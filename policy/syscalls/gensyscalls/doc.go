// Command gensyscalls writes the table of system call names from the tables
// that golang.org/x/sys/unix was generated with.
package main
