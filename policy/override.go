package policy

// overrides are annotations that make crun take its filter, or the answers to calls that
// the filter notifies of, from somewhere else than linux.seccomp (crun.1, section
// EXTENSIONS TO OCI). Whoever makes the container can set them: engines pass annotations
// on. Other runtimes ignore them.
var overrides = []string{"run.oci.seccomp_bpf_data", "run.oci.seccomp.plugins"}

// overriding returns the annotation that makes a runtime filter by something else than
// linux.seccomp; it is empty if there is none.
func overriding(annotations map[string]string) string {
	for _, key := range overrides {
		if _, ok := annotations[key]; ok {
			return key
		}
	}
	return ""
}
