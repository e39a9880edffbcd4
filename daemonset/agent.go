package daemonset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/install"
	"github.com/moby/sys/atomicwriter"
)

// Agent puts Batten on one host and keeps it there.
type Agent struct {
	// Install are the handler's settings, as batten install takes them. Paths are
	// the host's.
	Install install.Options
	// Socket is containerd's, on the host.
	Socket string
	// Policy holds policy.yaml and its profiles, Binaries Batten's.
	Policy, Binaries *os.Root
	// Cluster is told that the node is ready; nil for none.
	Cluster *Cluster
	// Log is told what was done, a line each.
	Log io.Writer

	root    string // the host's, as long as Enter was not called: for tests
	tried   string // the digest of the policy that was last looked at
	refused error  // why it was refused, nil if it was not
	said    string // what was last said of it
}

// Paths on the host.
const (
	home      = "/opt/batten"
	Bin       = home + "/bin"
	policyDir = "/etc/batten"
)

// pause is how often the policy is looked at.
const pause = 2 * time.Second

func (a *Agent) say(format string, args ...any) { fmt.Fprintf(a.Log, format+"\n", args...) }

// Enter makes root the root directory of this process: from here on all paths are
// the host's, and so are the programs that it runs.
func Enter(root string) error {
	if err := syscall.Chroot(root); err != nil {
		return fmt.Errorf("chroot %q: %w", root, err)
	}
	return os.Chdir("/")
}

// Run does all this until ctx ends, and takes it back if the DaemonSet is deleted
// by then. It returns an error where the host could not be made ready.
func (a *Agent) Run(ctx context.Context) error {
	if err := a.ready(ctx); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return a.leave()
		case <-time.After(pause):
			_ = a.policy() // which says what is wrong
		}
	}
}

// ready brings the host to where pods of the RuntimeClass can start.
func (a *Agent) ready(ctx context.Context) error {
	if err := a.copyBinaries(); err != nil {
		return err
	}
	if err := a.firstPolicy(ctx); err != nil {
		return err
	}
	daemon, err := a.findDaemon()
	if err != nil {
		return err
	}
	plan, err := install.Containerd(a.Install)
	if err != nil {
		return err
	}
	if err := a.apply(daemon, plan); err != nil {
		return err
	}
	if a.Cluster == nil {
		return nil
	}
	a.say("the node is labelled %s=%s", Label, a.Install.Handler)
	return a.Cluster.label(ctx, a.Install.Handler)
}

// firstPolicy waits until the host has a policy, this ConfigMap's or a last good one:
// without any, no pod of the RuntimeClass is to come.
func (a *Agent) firstPolicy(ctx context.Context) error {
	for err := a.policy(); err != nil; err = a.policy() {
		if _, err := os.Lstat(a.host(policyDir + "/policy.yaml")); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
	return nil
}

// policy is syncPolicy, and says what is wrong, once.
func (a *Agent) policy() error {
	err := a.syncPolicy()
	said := ""
	if err != nil {
		said = err.Error()
	}
	if said != a.said && said != "" {
		a.say("%s", said)
	}
	a.said = said
	return err
}

// restartDue is there from before a configuration is changed until containerd has
// read it: whoever is killed in between leaves it to the next.
const restartDue = home + "/restart-due"

// apply carries out a plan, and restarts the daemon if anything has changed.
func (a *Agent) apply(daemon int, plan *install.Plan) error {
	due := a.host(restartDue)
	if !plan.Unchanged() {
		if err := atomicwriter.WriteFile(due, []byte(plan.File+"\n"), 0o644); err != nil {
			return err
		}
	}
	if err := plan.Apply(a.Install.Dir); err != nil {
		_ = os.Remove(due) // the file is as it was
		return err
	}
	if _, err := os.Lstat(due); err != nil {
		a.say("%s is as it should be", plan.File)
		return nil
	}
	a.say("%s is changed; containerd is to start anew", plan.File)
	if err := a.restart(daemon); err != nil {
		return err
	}
	return os.Remove(due)
}

// leave takes Batten off the host if its DaemonSet is gone. If that cannot be known,
// it stays.
func (a *Agent) leave() error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if a.Cluster == nil {
		return nil
	}
	deleted, err := a.Cluster.deleted(ctx)
	if err != nil || !deleted {
		a.say("the pod ends, Batten stays on the node (%v)", err)
		return err
	}
	if err := a.Cluster.label(ctx, nil); err != nil {
		return err
	}
	daemon, err := a.findDaemon()
	if err != nil {
		return err
	}
	plan, err := install.Undo(a.Install.Dir, "containerd")
	if err == nil {
		err = a.apply(daemon, plan)
	}
	if err != nil && !errors.Is(err, install.ErrNotInstalled) {
		return err
	}
	return a.removeFiles()
}
