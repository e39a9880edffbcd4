package daemonset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/policy"
	"github.com/moby/sys/atomicwriter"
)

// Agent puts Batten on one host and keeps it there.
type Agent struct {
	// Install are the handler's settings, as batten install takes them. Paths are
	// the host's.
	Install install.Options
	// Socket is containerd's, on the host; empty for the distribution's.
	Socket string
	// Policy holds policy.yaml and its profiles, Binaries the programs of Batten.
	Policy, Binaries *os.Root
	// Cluster is told that the node is ready; nil for none.
	Cluster *Cluster
	// Machines are this host with each of its OCI runtimes: whether these know the names that a policy
	// denies. It is nil where nobody asks.
	Machines func() []policy.Machine
	// Log is told what was done, a line each.
	Log io.Writer

	root    string // the host's root directory until Enter is called: for tests
	tried   string // the digest of the policy that was last checked
	refused error  // why that policy was refused, nil if it was not
	said    string // the last message about it
	older   olderCount
}

// Paths on the host.
const (
	home      = "/opt/batten"
	Bin       = home + "/bin"
	policyDir = names.Config
	// ownDir is the only directory below policyDir in which the DaemonSet writes. All
	// other files there belong to the node.
	ownDir = policyDir + "/" + ownName
)

const ownName = "configmap"

// pause is the time between two checks of the policy.
const pause = 2 * time.Second

func (a *Agent) say(format string, args ...any) { fmt.Fprintf(a.Log, format+"\n", args...) }

// Run makes the host ready, and keeps its policy up to date until ctx ends. If the DaemonSet
// is deleted by then, Run takes Batten off the host. It returns an error if the host could not
// be made ready.
func (a *Agent) Run(ctx context.Context) error {
	if err := a.ready(ctx); err != nil {
		if ctx.Err() != nil { // the DaemonSet may be deleted before the host is ready
			return errors.Join(err, a.leave())
		}
		a.tell(ctx, failed, "%v", err)
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return a.leave()
		case <-time.After(pause):
			_ = a.policy(ctx) // policy logs what is wrong
			if err := a.sayOlderPods(ctx); err != nil {
				a.say("the older pods cannot be written on the node: %v", err)
			}
		}
	}
}

// ready makes the host ready for pods of the RuntimeClass. Until it has, the node's label says
// so, and a taint that the node was registered with stays.
func (a *Agent) ready(ctx context.Context) error {
	if a.Cluster != nil {
		if _, err := a.Cluster.mark(ctx, keys{Ready: "false", Older: nil}, keys{Older: nil}); err != nil {
			return err
		}
	}
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
	changes := !plan.Unchanged()
	if err := a.apply(ctx, daemon, plan); err != nil {
		return err
	}
	if changes {
		a.tell(ctx, installed, "handler %s is in %s", a.Install.Handler, plan.File)
	}
	if err := a.sayOlderPods(ctx); err != nil || a.Cluster == nil {
		return err
	}
	return a.open(ctx)
}

// open lets pods come to the node: Batten is in place.
func (a *Agent) open(ctx context.Context) error {
	if err := a.Cluster.awaitHandler(ctx, a.Install.Handler); err != nil {
		return err
	}
	if _, err := a.Cluster.mark(ctx, keys{Label: a.Install.Handler, Ready: "true"}, keys{}); err != nil {
		return err
	}
	a.say("the node is labelled %s=%s and %s=true", Label, a.Install.Handler, Ready)
	had, err := a.Cluster.untaint(ctx)
	if err != nil {
		return err
	}
	if had {
		a.say("the taint %s is taken off", Taint)
	}
	a.tell(ctx, enforces, "pods of handler %s are held to the policy", a.Install.Handler)
	return nil
}

// firstPolicy waits until the host has a policy, from the ConfigMap or the last good one:
// without a policy, no pod of the RuntimeClass may be scheduled here.
func (a *Agent) firstPolicy(ctx context.Context) error {
	for err := a.policy(ctx); err != nil; err = a.policy(ctx) {
		if _, err := os.Lstat(a.host(policyPath)); err == nil {
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

// policy calls syncPolicy. It logs each error once, and tells the cluster what holds.
func (a *Agent) policy(ctx context.Context) error {
	tried, linked := a.tried, a.linked()
	err := a.syncPolicy()
	if err == nil && a.tried != tried && (tried != "" || a.linked() != linked) {
		a.tell(ctx, policyInPlace, "the ConfigMap's policy (sha256 %.12s) holds from the next container on", a.tried)
	}
	said := ""
	if err != nil {
		said = err.Error()
	}
	if said != a.said && said != "" {
		a.say("%s", said)
		a.tell(ctx, policyRefused, "%s", said)
		if kept := a.linked(); kept != "" {
			a.tell(ctx, lastGoodPolicyKept, "policy %.12s, the last good one of the ConfigMap, holds", filepath.Base(kept))
		}
	}
	a.said = said
	return err
}

// dueName is a file that exists from before a configuration changes until containerd has
// read it: if the agent is killed in between, the next agent restarts containerd.
const dueName = "restart-due"

// apply carries out a plan, and restarts the daemon if anything has changed.
func (a *Agent) apply(ctx context.Context, daemon int, plan *install.Plan) error {
	due, file := a.host(filepath.Join(a.homeDir(), dueName)), a.host(plan.File)
	_, wasDue := os.Lstat(due) // not of this plan: of an agent that was killed
	before, _ := os.ReadFile(file)
	if !plan.Unchanged() {
		if err := atomicwriter.WriteFile(due, []byte(plan.File+"\n"), 0o644); err != nil {
			return err
		}
	}
	if err := plan.Apply(a.Install.Dir); err != nil {
		if now, _ := os.ReadFile(file); wasDue != nil && bytes.Equal(now, before) {
			_ = os.Remove(due)
		}
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
	a.tell(ctx, restarted, "containerd was restarted to read %s", plan.File)
	return os.Remove(due)
}

// leave takes Batten off the host if the DaemonSet is deleted. If that is unknown, Batten
// stays.
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
	if _, err := a.Cluster.mark(ctx, keys{Label: nil, Ready: nil, Older: nil}, keys{Older: nil}); err != nil {
		return err
	}
	daemon, err := a.findDaemon()
	if err != nil {
		return err
	}
	plan, err := install.Undo(a.Install.Dir, "containerd")
	if err == nil {
		err = a.apply(ctx, daemon, plan)
	}
	if err != nil && !errors.Is(err, install.ErrNotInstalled) {
		return err
	}
	if err := a.removeFiles(); err != nil {
		return err
	}
	a.tell(ctx, removed, "the DaemonSet is deleted: new pods bypass Batten")
	return nil
}
