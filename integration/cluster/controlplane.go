package cluster

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/batten-runtime/batten/integration/node"
)

// tokens are what the parts of the cluster, and the tests, are known by. The
// network in which they are worth something ends with the test.
var tokens = map[string]string{
	"admin": "token-admin", "kubelet": "token-kubelet",
	"kube-controller-manager": "token-controllers", "kube-scheduler": "token-scheduler",
}

const tokenFile = `token-admin,admin,1,"system:masters"
token-kubelet,system:node:` + NodeName + `,2,"system:nodes"
token-controllers,system:kube-controller-manager,3
token-scheduler,system:kube-scheduler,4
`

// startControlPlane starts etcd, the API server, the controllers and the scheduler.
func (c *Cluster) startControlPlane() {
	c.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write("tokens.csv", tokenFile)
	c.write("sa.key", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
	for name, token := range tokens {
		c.write(name+".kubeconfig", fmt.Sprintf(kubeconfig, token))
	}
	c.StartControlPlane()
}

const kubeconfig = `{apiVersion: v1, kind: Config, current-context: it,
clusters: [{name: it, cluster: {server: "https://` + node.APIServer + `", insecure-skip-tls-verify: true}}],
users: [{name: it, user: {token: %q}}],
contexts: [{name: it, context: {cluster: it, user: it}}]}
`

// StartControlPlane starts it over the state that is there.
func (c *Cluster) StartControlPlane() {
	c.t.Helper()
	c.start("etcd", anyTool("server"), "--data-dir", c.path("etcd"), "--unsafe-no-fsync", "--logger=zap", "--log-level=error",
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=default=http://127.0.0.1:2380")
	args := []string{
		"--etcd-servers=http://127.0.0.1:2379", "--cert-dir=" + c.path("pki"), "--secure-port=443",
		"--advertise-address=" + node.Address, "--service-cluster-ip-range=10.96.0.0/24",
		"--token-auth-file=" + c.path("tokens.csv"), "--authorization-mode=Node,RBAC", "--allow-privileged=true",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=" + c.path("sa.key"),
		"--service-account-signing-key-file=" + c.path("sa.key"), "--kubelet-preferred-address-types=InternalIP",
		"--enable-admission-plugins=NodeRestriction",
	}
	if len(c.features) > 0 {
		args = append(args, "--feature-gates="+strings.Join(c.features, ","), "--runtime-config=admissionregistration.k8s.io/v1beta1=true")
	}
	c.start("kube-apiserver", c.tool("kube-apiserver"), args...)
	// Its certificate is what the controllers hand to pods.
	c.Eventually(time.Minute, "the API server's certificate", func() error {
		_, err := os.Stat(c.path("pki/apiserver.crt"))
		return err
	})
	c.start("kube-controller-manager", c.tool("kube-controller-manager"), "--kubeconfig="+c.kubeconfig("kube-controller-manager"),
		"--service-account-private-key-file="+c.path("sa.key"), "--root-ca-file="+c.path("pki/apiserver.crt"),
		"--use-service-account-credentials=true", "--leader-elect=false", "--cert-dir="+c.path("pki-controllers"))
	c.start("kube-scheduler", c.tool("kube-scheduler"), "--kubeconfig="+c.kubeconfig("kube-scheduler"), "--leader-elect=false", "--cert-dir="+c.path("pki-scheduler"))
}

func (c *Cluster) path(name string) string { return filepath.Join(c.Dir, name) }

func (c *Cluster) kubeconfig(name string) string { return c.path(name + ".kubeconfig") }

func (c *Cluster) write(name, text string) {
	c.t.Helper()
	if err := os.WriteFile(c.path(name), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// PartLog is the end of what a part of the cluster has logged.
func (c *Cluster) PartLog(name string) string {
	data, _ := os.ReadFile(c.path(name + ".log"))
	lines := strings.Split(string(data), "\n")
	lines = lines[max(0, len(lines)-10):]
	for i, line := range lines {
		lines[i] = line[:min(len(line), 300)]
	}
	return strings.Join(lines, "\n")
}
