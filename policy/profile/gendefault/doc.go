// Command gendefault writes containerd's default profile as data. The package
// that it comes from (containerd's contrib/seccomp) brings 70 others along, whose
// initialisation is more than half of what a runtime's command line takes to
// start.
package main
