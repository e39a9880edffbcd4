//go:build !(linux && amd64)

package profile

// ProbeABIs claims nothing: the ABIs that Batten can probe are those of x86.
func ProbeABIs() ABIs { return ABIs{} }
