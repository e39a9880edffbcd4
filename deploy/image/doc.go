// Package image makes container images of static binaries without a daemon: an OCI
// image layout of one layer, as a tar archive that ctr, Docker and skopeo read
// (image-spec, image-layout.md). The same files give the same bytes.
package image
