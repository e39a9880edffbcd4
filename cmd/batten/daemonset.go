package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/batten-runtime/batten/internal/daemonset"
	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/shim/runc"
	"github.com/spf13/cobra"
)

// daemonSetFlags are those of batten daemonset that the agent does not have.
type daemonSetFlags struct {
	root, policy, account, node, namespace, name string
	check, status, delete                        bool
}

func newDaemonSet() *cobra.Command {
	var a daemonset.Agent
	var d daemonSetFlags
	cmd := &cobra.Command{
		Use:   "daemonset",
		Short: "keep Batten on a node of a cluster: the pods of deploy/kubernetes run this",
		Long: `batten daemonset runs in the pods of deploy/kubernetes. It copies Batten's binaries
and the policy of a ConfigMap to the host, puts Batten into containerd's
configuration, restarts containerd, and labels the node while all of that holds.`,
		Example:     "  batten daemonset --default --root /host --policy /policy\n  batten daemonset --check --root /host --policy /policy",
		Annotations: map[string]string{exitOne: "the node could not be prepared, or with --check the policy is not in place, or with --status pods do not go through Batten"},
		Args:        between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.Log = cmd.OutOrStdout()
			switch {
			case d.status:
				return daemonSetStatus(cmd.OutOrStdout(), a, d.root)
			case d.delete:
				return deleteDaemonSet(cmd.Context(), d)
			}
			return runDaemonSet(a, d)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := cmd.Flags()
	f.StringVar(&d.root, "root", "/host", "`directory` where the host's root is mounted")
	f.StringVar(&d.policy, "policy", "/policy", "`directory` of policy.yaml and its profiles: a ConfigMap")
	f.StringVar(&d.account, "account", "/var/run/secrets/kubernetes.io/serviceaccount", "`directory` of the service account")
	f.StringVar(&d.node, "node", os.Getenv("NODE_NAME"), "the node's `name`, to be labelled; no label if empty")
	f.StringVar(&d.namespace, "namespace", os.Getenv("POD_NAMESPACE"), "the DaemonSet's `namespace`")
	f.StringVar(&d.name, "name", "batten", "the DaemonSet's `name`")
	f.StringVar(&a.Socket, "socket", "", "containerd's `socket`, on the host; the distribution's if not given")
	f.StringVar(&a.Install.Config, "config", "", "containerd's configuration `file`, on the host; the one that containerd reads if not given")
	f.StringVar(&a.Install.Distribution, "distribution", "", "the node's `distribution`, if it is not recognized: "+strings.Join(install.DistributionNames(), ", "))
	f.StringVar(&a.Install.Binary, "containerd-binary", "", "containerd's program, a `file` on the host; the one that runs if not given")
	f.StringVar(&a.Install.Bin, "bin", "", "`directory` for Batten's binaries, on the host; "+daemonset.Bin+", or below the only one that runs programs, if not given")
	f.StringVar(&a.Install.Handler, "handler", "batten", "`name` of the RuntimeClass handler")
	f.StringVar(&a.Install.Wrap, "wrap", "", "`name` of the handler to wrap; the default one if not given")
	f.BoolVar(&a.Install.Default, "default", false, "make it the node's default")
	f.StringVar(&a.Install.Dir, "dir", install.DefaultDir, "`directory` in which Batten keeps what was there before, on the host")
	f.BoolVar(&d.check, "check", false, "only say whether the policy is in place on the host: the readiness probe")
	f.BoolVar(&d.status, "status", false, "only print batten status of the host, and say whether pods go through Batten: helm test")
	f.BoolVar(&d.delete, "delete", false, "only delete the DaemonSet, and wait until it has taken Batten off the nodes: helm uninstall")
	cmd.MarkFlagsMutuallyExclusive("check", "status", "delete")
	f.Lookup("node").DefValue, f.Lookup("namespace").DefValue = "$NODE_NAME", "$POD_NAMESPACE"
	completeFlag(cmd, "distribution", completeWords(install.DistributionNames()...))
	completeFiles(cmd, map[string][]string{"config": {"toml"}, "containerd-binary": nil}, "root", "policy", "account", "dir", "bin")
	return cmd
}

// runDaemonSet is what the pods of deploy/kubernetes run.
func runDaemonSet(a daemonset.Agent, d daemonSetFlags) error {
	a.Install.NoDefault = !a.Install.Default // the DaemonSet's flags say all of it
	self, err := os.Executable()
	if err == nil {
		a.Binaries, err = os.OpenRoot(filepath.Dir(self))
	}
	if err == nil {
		a.Policy, err = os.OpenRoot(d.policy)
	}
	if err == nil && d.check {
		return a.Check(d.root)
	}
	if err == nil && d.node != "" {
		a.Cluster, err = daemonset.InCluster(d.account, d.node, d.namespace, d.name)
	}
	if err == nil {
		err = daemonset.Enter(d.root)
	}
	if err == nil {
		err = a.Choose()
	}
	if err != nil {
		return hinted{err, "this is what the pods of deploy/kubernetes run; on a host of your own use batten install"}
	}
	settings, err := runc.LoadConfig()
	a.Install.Runtime, a.Install.NoRuntime = settings.Runtime, err
	a.Machines = machines
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := a.Run(ctx); err != nil {
		return hinted{err, "the kubelet starts the pod again, which goes on from here"}
	}
	return nil
}
