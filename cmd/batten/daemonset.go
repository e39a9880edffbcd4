package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/batten-runtime/batten/daemonset"
	"github.com/batten-runtime/batten/install"
	"github.com/batten-runtime/batten/shim/ociruntime"
)

// daemonSet is what the pods of deploy/kubernetes run.
func daemonSet(i *invocation) error {
	a := daemonset.Agent{Log: i.stdout, Install: install.Options{Bin: daemonset.Bin}}
	root := i.flags.String("root", "/host", "`directory` where the host's root is mounted")
	policyDir := i.flags.String("policy", "/policy", "`directory` of policy.yaml and its profiles: a ConfigMap")
	account := i.flags.String("account", "/var/run/secrets/kubernetes.io/serviceaccount", "`directory` of the service account")
	node := i.flags.String("node", os.Getenv("NODE_NAME"), "the node's `name`, to be labelled; no label if empty")
	namespace := i.flags.String("namespace", os.Getenv("POD_NAMESPACE"), "the DaemonSet's `namespace`")
	name := i.flags.String("name", "batten", "the DaemonSet's `name`")
	i.flags.StringVar(&a.Socket, "socket", "/run/containerd/containerd.sock", "containerd's `socket`, on the host")
	i.flags.StringVar(&a.Install.Config, "config", install.DefaultContainerd, "containerd's configuration `file`, on the host")
	i.flags.StringVar(&a.Install.Handler, "handler", "batten", "`name` of the RuntimeClass handler")
	i.flags.StringVar(&a.Install.Wrap, "wrap", "", "`name` of the handler to wrap; the default one if not given")
	i.flags.BoolVar(&a.Install.Default, "default", false, "make it the node's default")
	i.flags.StringVar(&a.Install.Dir, "dir", install.DefaultDir, "`directory` where it is remembered what was there before, on the host")
	if err := i.parse(0); err != nil {
		return err
	}
	self, err := os.Executable()
	if err == nil {
		a.Binaries, err = os.OpenRoot(filepath.Dir(self))
	}
	if err == nil {
		a.Policy, err = os.OpenRoot(*policyDir)
	}
	if err == nil && *node != "" {
		a.Cluster, err = daemonset.InCluster(*account, *node, *namespace, *name)
	}
	if err == nil {
		err = daemonset.Enter(*root)
	}
	if err != nil {
		return hinted{err, "this is what the pods of deploy/kubernetes run; on a host of your own use batten install"}
	}
	settings, err := ociruntime.LoadConfig(ociruntime.DefaultConfig)
	a.Install.Runtime, a.Install.NoRuntime = settings.Runtime, err
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := a.Run(ctx); err != nil {
		return hinted{err, "the kubelet starts the pod again, which goes on from here"}
	}
	return nil
}
