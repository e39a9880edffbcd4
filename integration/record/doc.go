// Package record has real programs recorded in containers of real runtimes, holds what was
// recorded against what strace saw of the same run, and starts the programs under the profiles
// that were made of it.
//
//	recorded_test.go  runs batten record beside a job
//	truth_test.go     what is recorded is what strace sees
//	starts_test.go    programs run under their own recording, and are denied nothing
//	apart_test.go     containers are kept apart, and what runs already is recorded from then on
//	odd_test.go       odd names, one id twice, two recorders; what was not recorded is denied
//	replay_test.go    profiles judged by what runs, bundles, and recorders that are killed
package record
