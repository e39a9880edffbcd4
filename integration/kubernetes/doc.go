// Package kubernetes tests Batten where its users are: pods that a real API server,
// scheduler and kubelet bring to a node, by a RuntimeClass and as the node's
// default, with the stock handler beside it for a control.
package kubernetes
