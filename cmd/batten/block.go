package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/batten-runtime/batten/internal/block"
	"github.com/batten-runtime/batten/internal/tighten"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// blocking is one call of batten block.
type blocking struct {
	cmd     *cobra.Command
	runtime *ociRuntime

	dir, name, errno     string
	dryRun, asJSON, list bool
	running              bool
	ids                  []string
	pod                  string
	except               []string
}

func newBlock() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "block [flags] CALL...",
		Short: "close a system call to every container of this node",
		Long: `batten block writes a drop-in with a mandatory floor: no container that starts
through Batten from then on can make the calls, whatever it asks for and the policy
says, in mode Audit too. A CALL is a system call, or some of its arguments in words:
bpf, 'io_uring_*', 'socket(AF_ALG)', 'clone(CLONE_NEWUSER)', 'ioctl(*, 0x5412)'.

It says what that takes away, which other calls do the same and stay open, and which
running containers let the calls through, by the filters that the kernel holds. Those
keep what they have until they are restarted, unless --running closes them as well: each
of their processes is stopped for a moment, given one more filter, read back, and let go.
That cannot be taken back. batten unblock takes a block back from what starts later.`,
		Example:     "  batten block --dry-run 'socket(AF_ALG)'\n  batten block --running 'socket(AF_ALG)'\n  batten block 'clone(CLONE_NEWUSER)' 'unshare(CLONE_NEWUSER)' clone3\n  batten block --list",
		SuggestFor:  []string{"deny", "close", "ban", "mitigate"},
		Annotations: map[string]string{exitOne: "the calls cannot be blocked, or a container could not be looked at", exitThree: "not run as root on the node", files: policy.DefaultPath + "\n" + policy.DropInDir},
		Args:        between(0, math.MaxInt),

		ValidArgsFunction: cobra.NoFileCompletions,
	}
	b := &blocking{cmd: cmd}
	f := cmd.Flags()
	f.StringVar(&b.name, "name", "", "`name` of the drop-in; by default after the calls")
	f.StringVar(&b.errno, "errno", "", "the `error` that the calls fail with, such as ENOSYS; by default EPERM, and ENOSYS for clone3")
	f.BoolVar(&b.dryRun, "dry-run", false, "print the drop-in and what it takes away, and write nothing")
	f.BoolVar(&b.running, "running", false, "close the calls to the processes of running containers as well, by one more filter on each")
	f.StringArrayVar(&b.ids, "id", nil, "of the running containers only the one of this `id`; may be given again")
	f.StringVar(&b.pod, "pod", "", "of the running containers only those of the pod `NAMESPACE/NAME`")
	f.StringArrayVar(&b.except, "except", nil, "leave out containers that this `match` of a rule matches, such as '{pod: {namespace: [db]}}'; may be given again")
	f.BoolVar(&b.list, "list", false, "print the blocks that there are")
	f.BoolVar(&b.asJSON, "json", false, "print JSON: with --list the blocks, else the running containers that let the calls through")
	f.StringVar(&b.dir, "dir", policy.DropInDir, "`directory` of the drop-ins")
	completeFiles(cmd, nil, "dir")
	b.runtime = newOCIRuntime(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error { return b.run(args) }
	return cmd
}

func (b *blocking) run(args []string) error {
	b.dir = filepath.Clean(b.dir)
	switch {
	case b.running && (b.list || b.dryRun):
		return usageError{errors.New("--running closes calls; --list and --dry-run only look")}
	case b.running && b.dir != policy.DropInDir:
		return usageError{fmt.Errorf("--running is for the containers of this node, whose drop-ins are in %s", policy.DropInDir)}
	case (b.pod != "" || len(b.ids) > 0) && (b.list || b.dryRun):
		return usageError{errors.New("--id and --pod choose among running containers, at which --list and --dry-run do not look")}
	case b.list && len(args)+len(b.except) > 0:
		return usageError{errors.New("--list takes no CALL and no --except")}
	case b.list:
		return b.tellList()
	case len(args) == 0:
		return usageError{errors.New("which CALL?")}
	case b.dryRun && b.asJSON:
		return usageError{errors.New("--dry-run looks at no container, so it has no --json")}
	}
	if b.running {
		if err := tighten.Supported(); err != nil {
			return hinted{err, "without --running the block holds for containers that start from then on"}
		}
		_ = tighten.Hurry(hurry) // without the right it takes longer on a busy machine
	}
	own, err := b.asked(args)
	if err != nil {
		return err
	}
	text, err := own.Text()
	if err != nil {
		return err
	}
	path := block.Path(b.dir, own.Name)
	if err := b.check(path, text); err != nil {
		return err
	}
	if b.dryRun {
		fmt.Fprintf(b.cmd.OutOrStdout(), "%s", text)
		return b.tellTakes(own)
	}
	if b.dir == policy.DropInDir {
		if err := needsRoot("only root can write drop-ins"); err != nil {
			return err
		}
	}
	if err := block.Write(path, text); errors.Is(err, block.ErrOther) {
		return hinted{err, fmt.Sprintf("it blocks %s; give this one another name by --name, or take that back by batten unblock %s", blockedBy(path), own.Name)}
	} else if err != nil {
		return err
	}
	if !b.asJSON {
		but := ""
		if len(own.Except) > 0 {
			but = ", but for those that --except leaves out"
		}
		fmt.Fprintf(b.cmd.OutOrStdout(), "%s: no container that starts through Batten from now on can make %s%s\n", path, callsOf(own.Calls), but)
		if err := b.tellTakes(own); err != nil {
			return err
		}
	}
	return b.tellRunning(own, path, text)
}

// asked returns what the command line asks for.
func (b *blocking) asked(args []string) (block.Block, error) {
	var calls []block.Call
	for _, arg := range args {
		c, err := block.Parse(arg)
		if err != nil {
			return block.Block{}, usageError{err}
		}
		calls = append(calls, c)
	}
	var errno unix.Errno
	if b.errno != "" {
		if errno = unix.Errno(profile.Errno(strings.ToUpper(b.errno))); errno == 0 {
			return block.Block{}, usageError{fmt.Errorf("--errno: no error is called %q; write one such as EPERM, EACCES or ENOSYS", b.errno)}
		}
	}
	own, err := block.New(b.name, calls, errno)
	if err != nil {
		return own, usageError{err}
	}
	for _, text := range b.except {
		m, err := policy.ParseExcept("--except", text)
		if err != nil {
			return own, usageError{err}
		}
		own.Except = append(own.Except, m)
	}
	return own, nil
}

// blockedBy says what a drop-in blocks.
func blockedBy(path string) string {
	text, err := os.ReadFile(path)
	if asked, ok := block.Asked(text); err == nil && ok {
		return asked + ", perhaps with another error"
	}
	return "what batten block has not written"
}

// check returns an error if the drop-in, beside the policy and the others, would refuse
// containers.
func (b *blocking) check(path string, text []byte) error {
	dropIn, findings := policy.ParseDropIn(path, text, nil)
	if err := findings.Err(); err != nil {
		return hinted{err, "block some arguments of the call, or another call"}
	}
	for _, f := range findings {
		fmt.Fprintln(b.cmd.ErrOrStderr(), f)
	}
	p, findings := policy.Loader{AnyOwner: b.dryRun || b.dir != policy.DropInDir, DropIns: b.dir}.Load(policy.DefaultPath)
	if err := findings.Err(); err != nil {
		return hinted{err, "no container starts until this is repaired; batten check says all that is wrong"}
	}
	skipped, err := b.runtime.skippedNames(p.With(dropIn).Skipped)
	if err != nil {
		return err
	}
	for _, f := range skipped {
		if f.Warning {
			fmt.Fprintln(b.cmd.ErrOrStderr(), f)
		}
	}
	if err := skipped.Err(); err != nil {
		return hinted{err, "containers would be refused, since nothing could hold them to it"}
	}
	return nil
}
