// Package peers runs containerd's own integration tests, of its client and of its CRI
// plugin, and Kubernetes' critest, on a private containerd with the stock shim and with Batten's.
// What passes with one passes with the other, but for specs of critest that ask for no filter.
package peers
