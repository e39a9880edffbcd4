package names

const (
	// RuntimeType is what containerd's configuration calls the shim, and what
	// rules of a policy call it.
	RuntimeType = "io.containerd.batten.v2"
	// Wrapper is the file name of batten-runc, and what rules of a policy call it.
	Wrapper = "batten-runc"
	// WrapperCRIO is the name of a link to batten-runc. Called by this name, batten-runc takes
	// its caller for CRI-O, and believes CRI-O's annotations.
	WrapperCRIO = "batten-runc-crio"
	// CRIO is what requests, records and the command line call CRI-O.
	CRIO = "cri-o"
	// Shim is the file name of the shim's binary.
	Shim = "containerd-shim-batten-v2"
	// CRINamespace is the containerd namespace in which containerd's CRI plugin works.
	CRINamespace = "k8s.io"
	// Config is the directory of the policy and of what belongs to it.
	Config = "/etc/batten"
	// Records is the directory of records. /run is empty after a reboot, as are
	// the containers.
	Records = "/run/batten"
)
