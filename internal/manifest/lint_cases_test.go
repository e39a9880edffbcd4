package manifest_test

import (
	"strings"
)

// Each finding, and beside it a manifest that differs in what matters and has
// none.
var lintTests = []struct{ name, text, want, clean string }{
	{
		"no-profile", pod("", ""),
		`manifest "f":6:5: warning: spec.containers[0]: Pod/p: container c asks for no profile: the container starts without a seccomp filter, unless the kubelet runs with seccompDefault or the node with Batten; write seccompProfile: {type: RuntimeDefault}`,
		pod(podDefault, ""),
	},
	{
		"unconfined", pod("  securityContext:\n    seccompProfile: {type: Unconfined}\n", ""),
		`manifest "f":6:28: warning: ` + ofPod + `.type: Pod/p: Unconfined: no filter, and seccompDefault does not change that; write seccompProfile: {type: RuntimeDefault}, or a Localhost profile that allows what RuntimeDefault denies`,
		pod(podDefault, ""),
	},
	{
		"overrides-pod", pod(podDefault, "    securityContext:\n      seccompProfile: {type: Unconfined}\n"),
		`manifest "f":11:30: ` + ofC + `.seccompProfile.type: Pod/p: container c undoes the pod's RuntimeDefault and runs unfiltered; leave its seccompProfile out`,
		pod(podDefault, "    securityContext:\n      seccompProfile: {type: Localhost, localhostProfile: web.json}\n"),
	},
	{
		"privileged", pod("", "    securityContext: {privileged: true}\n"),
		`manifest "f":8:35: warning: ` + ofC + `.privileged: Pod/p: container c is privileged: it gets no seccomp filter, whatever it asks for, and seccompDefault does not change that; drop privileged for the capabilities that it needs, or run it under Batten`,
		pod(podDefault, "    securityContext: {privileged: false}\n"),
	},
	{
		"privileged-profile", pod(podDefault, "    securityContext: {privileged: true}\n"),
		`manifest "f":6:21: warning: ` + ofPod + `: Pod/p: container c is privileged, so containerd and CRI-O ignore its profile and it runs unfiltered; drop privileged for the capabilities that it needs, or run it under Batten`,
		pod(podDefault, "    securityContext: {capabilities: {add: [SYS_ADMIN]}}\n"),
	},
	{
		"annotation-ignored", strings.Replace(pod(podDefault, ""), "{name: p}", "{name: p, annotations: {seccomp.security.alpha.kubernetes.io/pod: runtime/default}}", 1),
		`manifest "f":3:35: metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Pod/p: Kubernetes ignores the annotation seccomp.security.alpha.kubernetes.io/pod since 1.27, without a word, so "runtime/default" does nothing; write securityContext.seccompProfile instead`,
		strings.Replace(pod(podDefault, ""), "{name: p}", "{name: p, annotations: {seccomp.example.com/pod: runtime/default}}", 1),
	},
	{
		"localhost-missing", pod("  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: audit.json}\n", ""),
		`manifest "f":6:57: ` + ofPod + `.localhostProfile: Pod/p: there is no /var/lib/kubelet/seccomp/audit.json, so the container does not start: CreateContainerError, cannot load seccomp profile; the file is /var/lib/kubelet/seccomp/profiles/audit.json: write localhostProfile: profiles/audit.json`,
		pod("  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: profiles/audit.json}\n", ""),
	},
	{
		"localhost-missing", pod("  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: twice.json}\n", ""),
		`manifest "f":6:57: ` + ofPod + `.localhostProfile: Pod/p: there is no /var/lib/kubelet/seccomp/twice.json, so the container does not start: CreateContainerError, cannot load seccomp profile; files of that name are a/twice.json, b/twice.json`,
		pod("  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: web.json}\n", ""),
	},
	{
		"localhost-missing", pod("  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: ''}\n", ""),
		`manifest "f":6:57: ` + ofPod + `.localhostProfile: Pod/p: an empty localhostProfile: the API server takes it, and the kubelet does not start the container: CreateContainerConfigError, localhostProfile must be set; name a file below /var/lib/kubelet/seccomp`,
		pod("  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: web.json}\n", ""),
	},
	{
		"localhost-broken", pod("  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: a/twice.json}\n", ""),
		`manifest "f":6:57: ` + ofPod + `.localhostProfile: Pod/p: no container starts with /var/lib/kubelet/seccomp/a/twice.json: CreateContainerError; line 1, column 2: is not JSON`,
		pod("  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: web.json}\n", ""),
	},
	{
		"localhost-profile", pod("  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: b/twice.json}\n", ""),
		`manifest "f":6:57: warning: ` + ofPod + `.localhostProfile: Pod/p: /var/lib/kubelet/seccomp/b/twice.json, line 3, column 4: drops it [dropped]`,
		pod("  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: web.json}\n", ""),
	},
	{
		"windows-profile", pod("  os: {name: windows}\n"+podDefault, ""),
		`manifest "f":7:21: ` + ofPod + `: Pod/p: a seccompProfile on a pod for Windows: the API server refuses it; leave it out`,
		pod("  os: {name: windows}\n", ""),
	},
	{
		"localhost-path", pod("  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: /web.json}\n", ""),
		`manifest "f":6:57: ` + ofPod + `.localhostProfile: Pod/p: the API server refuses "/web.json": localhostProfile is relative to the kubelet's seccomp root, /var/lib/kubelet/seccomp, and does not leave it`,
		pod("  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: ./web.json}\n", ""),
	},
	{
		"localhost-type", pod("  securityContext:\n    seccompProfile: {type: Localhost}\n", ""),
		`manifest "f":6:28: ` + ofPod + `.type: Pod/p: type Localhost without localhostProfile: the API server refuses it; name a file below /var/lib/kubelet/seccomp`,
		pod("  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: web.json}\n", ""),
	},
	{
		"localhost-type", pod("  securityContext:\n    seccompProfile: {type: RuntimeDefault, localhostProfile: web.json}\n", ""),
		`manifest "f":6:62: ` + ofPod + `.localhostProfile: Pod/p: localhostProfile beside type RuntimeDefault: the API server refuses it; write type: Localhost, or leave localhostProfile out`,
		pod(podDefault, ""),
	},
	{
		"profile-type", pod("  securityContext:\n    seccompProfile: {type: Bogus}\n", ""),
		`manifest "f":6:28: ` + ofPod + `.type: Pod/p: there is no type "Bogus": the API server refuses it; write RuntimeDefault, Localhost or Unconfined`,
		pod(podDefault, ""),
	},
	{
		"profile-type", pod("  securityContext:\n    seccompProfile: {type: runtime/default}\n", ""),
		`manifest "f":6:28: ` + ofPod + `.type: Pod/p: there is no type "runtime/default": the API server refuses it; did you mean "RuntimeDefault"?`,
		pod(podDefault, ""),
	},
	{
		"profile-type", pod("  securityContext:\n    seccompProfile: {type: runtimeDefault}\n", ""),
		`manifest "f":6:28: ` + ofPod + `.type: Pod/p: there is no type "runtimeDefault": the API server refuses it; did you mean "RuntimeDefault"?`,
		pod(podDefault, ""),
	},
	{
		"profile-type", pod("  securityContext:\n    seccompProfile: {type: docker/default, localhostProfile: x}\n", ""),
		`manifest "f":6:28: ` + ofPod + `.type: Pod/p: there is no type "docker/default": the API server refuses it; did you mean "RuntimeDefault"?`,
		pod(podDefault, ""),
	},
	{
		"profile-type", pod("  securityContext:\n    seccompProfile: {localhostProfile: web.json}\n", ""),
		`manifest "f":6:21: ` + ofPod + `.type: Pod/p: a seccompProfile without a type: the API server refuses it; write type: Localhost`,
		pod("  securityContext:\n    seccompProfile: {type: Localhost, localhostProfile: web.json}\n", ""),
	},
	{
		"profile-type", pod("  securityContext:\n    seccompProfile: {}\n", ""),
		`manifest "f":6:21: ` + ofPod + `.type: Pod/p: a seccompProfile without a type: the API server refuses it; write type: RuntimeDefault, Localhost or Unconfined`,
		pod(podDefault, ""),
	},
	{
		"no-handler", pod(podDefault+"  runtimeClassName: gvisor\n", ""),
		`manifest "f":7:21: spec.runtimeClassName: Pod/p: the node has no runtime handler "gvisor", so the pod stays in ContainerCreating with FailedCreatePodSandBox; batten install --handler gvisor makes one`,
		pod(podDefault+"  runtimeClassName: gvisor\n", "") + "---\napiVersion: node.k8s.io/v1\nkind: RuntimeClass\nmetadata: {name: gvisor}\nhandler: batten\n",
	},
	{
		"unknown-field", pod(podDefault+"  seccompProfile: {type: Localhost}\n", ""),
		`manifest "f":7:19: spec.seccompProfile: Pod/p: the API server does not know spec.seccompProfile and drops it, so it does nothing; it belongs into securityContext of the pod or of a container, as seccompProfile: {type, localhostProfile}`,
		pod(podDefault+"  hostUsers: false\n", ""),
	},
	{
		"not-a-pod", pod(podDefault, "    tty: 3\n"),
		`manifest "f":10:10: spec.containers[0].tty: Pod/p: not a pod that the API server reads: spec.containers[0].tty is a number, and true or false belongs there`,
		pod(podDefault, "    tty: true\n"),
	},
	{
		"not-a-pod", pod(podDefault+"  hostPID: false\n", "    securityContext: {privileged: true, privileged: false}\n"),
		`manifest "f":11:41: Pod/p: key "privileged" occurs twice: kubectl and the API server take the last one, and with strict validation they refuse the object; remove one`,
		pod(podDefault, "    securityContext: {privileged: false}\n"),
	},
	{
		"not-a-pod", pod(podDefault, "") + "spec: {containers: [{name: c, securityContext: {privileged: true}}]}\n",
		`manifest "f":10:1: Pod/p: key "spec" occurs twice: kubectl and the API server take the last one, and with strict validation they refuse the object; remove one`,
		pod(podDefault, ""),
	},
	{
		"not-a-pod", "kind: ConfigMap\n" + pod(podDefault, ""),
		`manifest "f":3:1: ConfigMap/p: key "kind" occurs twice: kubectl and the API server take the last one, and with strict validation they refuse the object; remove one`,
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: p}\n",
	},
	{
		"not-a-pod", "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: ConfigMap}]\nitems: [{apiVersion: v1, kind: Pod, spec: {containers: [{name: c}]}}]\n",
		`manifest "f":4:1: List: key "items" occurs twice: kubectl and the API server take the last one, and with strict validation they refuse the object; remove one`,
		"apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: ConfigMap}]\n",
	},
	{
		"pod-security", pod(podDefault, "") + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {pod-security.kubernetes.io/enforce: restricted}}\n",
		`manifest "f":5:3: spec: Pod/p: its namespace enforces Pod Security "restricted" and refuses it: allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)`,
		pod(podDefault, "") + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {pod-security.kubernetes.io/enforce: baseline}}\n",
	},
}
