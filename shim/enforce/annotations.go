package enforce

// overriding are annotations by which crun takes its filter, or the answers to the
// calls that the filter asks about, from elsewhere than linux.seccomp (crun.1, section
// EXTENSIONS TO OCI). Engines pass annotations on from whoever makes the container.
// Other runtimes do not know them.
var overriding = []string{"run.oci.seccomp_bpf_data", "run.oci.seccomp.plugins"}

// overridden refuses a spec that would have a runtime filter by something else
// than linux.seccomp.
func overridden(annotations map[string]string) error {
	for _, key := range overriding {
		if _, ok := annotations[key]; ok {
			return refuse("annotation %q: crun would take it for the filter in place of linux.seccomp; remove it", key)
		}
	}
	return nil
}
