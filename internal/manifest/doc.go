// Package manifest reads the pods of Kubernetes manifests, with the place of
// every value, and says of each what its seccomp settings really do.
//
//	bytes ──Parse──▶ Object ──Pod──▶ Pod: Containers, Seccomp, Runs
//	                                   │
//	                                 Lint ──▶ Finding: ID, place, sentence, edits ──Apply──▶ bytes
//
// The API server and the kubelet take much that does not do what it says: an
// annotation of old, a profile beside privileged, a field on the wrong level.
// Such a manifest is valid, and its container runs unfiltered.
package manifest
