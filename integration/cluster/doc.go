// Package cluster runs Kubernetes in tests: one node with the control plane
// beside its kubelet, over a containerd of package node, in a mount and a network
// namespace of their own.
//
//	etcd ─ kube-apiserver ─ kube-controller-manager, kube-scheduler
//	             │
//	          kubelet ─ containerd ─ shims ─ pods on a bridge (CNI)
//
// The binaries are those that engines/build.sh kubernetes builds. With the test
// the pods are deleted, in an orderly way, and nothing of the cluster may be left.
package cluster
