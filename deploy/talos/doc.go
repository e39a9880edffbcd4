// Package talos makes a system extension of Talos: an image with Batten's shim, the node's
// policy, and a part of the configuration of containerd's CRI plugin.
//
//	manifest.yaml                                        who made it, for which Talos
//	rootfs/usr/local/bin/containerd-shim-batten-v2
//	rootfs/usr/local/etc/batten/                         policy.yaml and its profiles
//	rootfs/etc/cri/conf.d/10-batten.part                 Talos merges the parts into cri.toml
//
// Nothing on a Talos node can be written, and only these directories can be in an extension
// (AllowedPaths in siderolabs/talos, pkg/machinery/extensions). So the policy is part of the
// image, and the handler names it.
package talos
