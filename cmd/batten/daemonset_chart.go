package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"syscall"

	"github.com/batten-runtime/batten/internal/daemonset"
	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/batten-runtime/batten/policy"
)

// daemonSetStatus is the test of the Helm chart: batten status of the host, from a pod. Its
// answer is whether new pods go through Batten: of what runs, a pod cannot judge all, since it
// may have a filter itself.
func daemonSetStatus(w io.Writer, a daemonset.Agent, root string) error {
	err := daemonset.Enter(root)
	if err == nil {
		err = a.Choose()
	}
	if err == nil {
		err = a.TakePath()
	}
	if err != nil {
		return hinted{err, "this is what helm test runs in a pod; on a host of your own use batten status"}
	}
	s := asksStatus{configs: install.DefaultConfigs, dir: names.Records, proc: defaultProc, policy: policy.DefaultPath}
	s.configs.Containerd = a.Install.Config
	report, err := s.ask()
	if err != nil {
		return err
	}
	if err := tellStatus(w, report, false); err != nil {
		return err
	}
	if err := throughBatten(report, a.Install.Handler, a.Install.Default); err != nil {
		return hinted{err, "kubectl logs of the DaemonSet says what it did on the node"}
	}
	fmt.Fprintf(w, "new pods of handler %s go through Batten\n", a.Install.Handler)
	return nil
}

// throughBatten returns an error unless new pods of a handler of containerd go through Batten;
// with all, those that name no handler, too.
func throughBatten(r *status.Report, handler string, all bool) error {
	if r.Policy.Error != "" {
		return errors.New("no container can start: the policy cannot be read")
	}
	find := func(is func(install.Handler) bool) (h install.Handler, found bool) {
		k := slices.IndexFunc(r.Handlers, func(h install.Handler) bool { return h.Engine == "containerd" && is(h) })
		if k < 0 {
			return h, false
		}
		return r.Handlers[k], true
	}
	h, found := find(func(h install.Handler) bool { return h.Name == handler })
	switch {
	case !found:
		return fmt.Errorf("containerd has no handler %q", handler)
	case through(h) != "yes":
		return fmt.Errorf("does handler %q go through Batten? %s", handler, through(h))
	}
	h, found = find(func(h install.Handler) bool { return h.Default })
	switch {
	case !all:
		return nil
	case !found:
		return errors.New("containerd's default handler is unknown")
	case through(h) != "yes":
		return fmt.Errorf("does the default handler, %q, go through Batten? %s", h.Name, through(h))
	}
	return nil
}

// deleteDaemonSet is what the Helm chart does before it is uninstalled.
func deleteDaemonSet(ctx context.Context, d daemonSetFlags) error {
	cluster, err := daemonset.InCluster(d.account, d.node, d.namespace, d.name)
	if err != nil {
		return hinted{err, "this is what helm uninstall runs in a pod; by hand it is kubectl delete daemonset --cascade=foreground"}
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return cluster.Delete(ctx)
}
