// Package explain knows what becomes of a pod before it runs: what the kubelet and the
// CRI plugin make of its fields ([OnNode.Asks], [Bounding]), and which of the node's
// handlers starts it ([Route]). policy.Resolve then says what its containers run under.
package explain
