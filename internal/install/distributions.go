package install

const rancherTemplates = "the drop-in directory or the template beside it"

// distributions are in order of precedence: Kubernetes before the system below it.
var distributions = []Distribution{
	{
		Name: "k3s", Units: []string{"k3s", "k3s-agent"}, Socket: "/run/k3s/containerd/containerd.sock",
		Binary:  "/var/lib/rancher/k3s/data/current/bin/containerd",
		configs: []string{"/var/lib/rancher/k3s/agent/etc/containerd/config.toml"},
		marks:   []string{"/var/lib/rancher/k3s/agent/etc/containerd/config.toml"}, templates: rancher, where: rancherTemplates,
		defaults: "default-runtime in /etc/rancher/k3s/config.yaml",
	},
	{
		Name: "rke2", Units: []string{"rke2-server", "rke2-agent"}, Socket: "/run/k3s/containerd/containerd.sock",
		Binary:  "/var/lib/rancher/rke2/bin/containerd",
		configs: []string{"/var/lib/rancher/rke2/agent/etc/containerd/config.toml"},
		marks:   []string{"/var/lib/rancher/rke2/agent/etc/containerd/config.toml"}, templates: rancher, where: rancherTemplates,
		defaults: "default-runtime in /etc/rancher/rke2/config.yaml",
	},
	{
		Name: "k0s", Units: []string{"k0sworker", "k0scontroller"}, Socket: "/run/k0s/containerd.sock",
		Binary: "/var/lib/k0s/bin/containerd", configs: []string{"/etc/k0s/containerd.toml"},
		marks: []string{"/var/lib/k0s/bin/containerd"}, merged: "containerd.d", where: "/etc/k0s/containerd.d",
	},
	{
		Name: "microk8s", Units: []string{"snap.microk8s.daemon-containerd"}, Socket: "/var/snap/microk8s/common/run/containerd.sock",
		Binary: "/snap/microk8s/current/bin/containerd", configs: []string{"/var/snap/microk8s/current/args/containerd.toml"},
		marks: []string{"/var/snap/microk8s/current/args/containerd-template.toml"}, writer: "MicroK8s",
		templates: map[int]string{2: "containerd-template.toml", 3: "containerd-template.toml"}, asTOML: true,
		where: "/var/snap/microk8s/current/args/containerd-template.toml",
	},
	{
		Name: "talos", osID: "talos", configs: []string{"/etc/cri/containerd.toml"}, Socket: "/run/containerd/containerd.sock", writer: "Talos",
		where: "a system extension (make talos-extension)", sealed: true,
	},
	{
		Name: "eks", Units: []string{"containerd"}, Socket: defaultSocket, configs: []string{DefaultContainerd},
		marks: []string{"/usr/bin/nodeadm"}, writer: "nodeadm", nodeConfig: true,
		where: "spec.containerd.config of the node's NodeConfig (user data, or a file in /etc/eks/nodeadm.d)",
	},
	{
		Name: "aks", Units: []string{"containerd"}, Socket: defaultSocket, configs: []string{DefaultContainerd},
		marks: []string{"/etc/kubernetes/azure.json"}, where: DefaultContainerd,
		note: "a new node of the pool does not have this: use the DaemonSet",
	},
	{
		Name: "gke", osID: "cos", Units: []string{"containerd"}, Socket: defaultSocket, configs: []string{DefaultContainerd},
		Bin: "/home/kubernetes/bin", where: DefaultContainerd,
		note: "/etc is made anew at each boot of Container-Optimized OS, without this: use the DaemonSet",
	},
	{
		Name: "flatcar", osID: "flatcar", Units: []string{"containerd"}, Socket: defaultSocket,
		configs: []string{DefaultContainerd, flatcarConfig},
		where:   "a copy of it, " + DefaultContainerd + ", which CONTAINERD_CONFIG of a drop-in of containerd.service names",
	},
	{Name: Plain, Units: []string{"containerd"}, Socket: defaultSocket, configs: []string{DefaultContainerd}, where: DefaultContainerd},
}

const (
	defaultSocket = "/run/containerd/containerd.sock"
	// flatcarConfig is part of Flatcar's image, which cannot be written.
	flatcarConfig = "/usr/share/containerd/config.toml"
)

// rancher are the templates of k3s and RKE2.
var rancher = map[int]string{2: "config.toml.tmpl", 3: "config-v3.toml.tmpl", 4: "config-v3.toml.tmpl"}
