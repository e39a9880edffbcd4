// Package integration tests Batten from outside, on real containerd daemons
// and real containers: what the kernel did is what counts. Every test of an
// enforcement shows three things: the stock shim lets the call through,
// Batten stops it, and an allowed call still works.
package integration
