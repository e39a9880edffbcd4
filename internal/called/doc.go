// Package called says what an engine calls a container, for people to read: Docker's and
// Podman's names and images, CRI-O's pods. Rules never match it: it stands in
// annotations that others can write and in files of the engine's, whose place the spec
// tells.
//
//	Of(bundle, id, spec)
//	  CRI-O    annotations
//	  Podman   containers.json of its storage, beside the bundle
//	  Docker   config.v2.json, beside the files that it mounts at /etc/hosts and the like
package called
