// Package filtertest has profiles for tests of what libseccomp, runc and crun make of
// them: random ones, those that people use, and some with the programs that runc had the
// kernel load.
package filtertest
