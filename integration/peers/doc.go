// Package peers runs containerd's own integration tests, of its client and of its CRI
// plugin, on a private containerd twice: with the stock shim and with Batten's. What
// passes with one passes with the other.
package peers
