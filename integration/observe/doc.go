// Package observe has real programs run under real engines with their denials seen, and
// compares what was seen with what strace says of the same programs, and with what the compiled
// profile says of each call.
//
//	observe_test.go   what is seen of a job and of execs, with each daemon
//	truth_test.go     what is seen of Debian's programs is what strace sees
//	run_test.go       runs a program, with strace or without
//	judge_test.go     says what the compiled profile does with a call
package observe
