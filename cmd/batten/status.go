package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/internal/status"
	"github.com/batten-runtime/batten/internal/tighten"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/spf13/cobra"
)

// asksStatus is one call of batten status.
type asksStatus struct {
	configs                       install.Configs
	dir, proc, policy             string
	draft, all, olderPods, asJSON bool
}

func newStatus() *cobra.Command {
	a := asksStatus{configs: install.DefaultConfigs}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "say whether the node is safe",
		Long: `batten status lists the engines' runtimes, which of them go through Batten, and
every container that runs, and says of each whether it is held to the policy. It
ends with what lets containers run below the policy, now or from now on. Run it on
the node, outside of containers, as root.`,
		Example:     "  batten status\n  batten status --json\n  batten status --older-pods --json",
		Annotations: map[string]string{exitOne: "something runs below the policy or can, or could not be looked at", exitThree: "not run as root on the node", files: policy.DefaultPath + "\n" + names.Records},
		Args:        between(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.olderPods {
				return listOlderPods(cmd.OutOrStdout(), a.proc, a.asJSON)
			}
			return a.showStatus(cmd.OutOrStdout())
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := cmd.Flags()
	f.StringVar(&a.dir, "dir", names.Records, "`directory` of the records")
	f.StringVar(&a.proc, "proc", defaultProc, "`directory` where procfs is mounted")
	f.StringVar(&a.policy, "policy", policy.DefaultPath, "`file` of the policy")
	f.BoolVar(&a.draft, "draft", false, "do not check the policy's owner and mode")
	f.BoolVar(&a.all, "all", false, "also list processes that have namespaces of their own and are no container")
	f.BoolVar(&a.olderPods, "older-pods", false, "only list the pods whose later containers bypass Batten, a namespace and a name a line; a JSON list with --json")
	f.BoolVar(&a.asJSON, "json", false, "print JSON")
	f.StringVar(&a.configs.Containerd, "containerd", "", "`file` of containerd's configuration; by default that of the node's distribution")
	f.StringVar(&a.configs.Docker, "docker", a.configs.Docker, "`file` of dockerd's configuration")
	completeFiles(cmd, map[string][]string{"policy": {"yaml", "yml"}, "containerd": {"toml"}, "docker": {"json"}}, "dir", "proc")
	return cmd
}

// showStatus answers whether the node is safe.
func (a *asksStatus) showStatus(w io.Writer) error {
	s, err := a.ask()
	if err != nil {
		return err
	}
	if a.asJSON {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		err = enc.Encode(s)
	} else {
		err = tellStatus(w, s, a.all)
	}
	if err == nil && !s.Safe {
		return errNo
	}
	return err
}

// ask asks whether the node is safe.
func (a *asksStatus) ask() (*status.Report, error) {
	if err := ownProc(a.proc); err != nil {
		return nil, err
	}
	load := loader(a.draft)
	s, err := status.Question{
		Survey: surveyOf(a.proc, a.dir, a.policy, load), Policy: a.policy, Load: load, Configs: a.configs, Installed: install.DefaultDir,
	}.Answer()
	if err != nil {
		return nil, refused{err, onTheNode}
	}
	return s, nil
}

const defaultProc = "/proc"

const onTheNode = "run it on the node, outside of containers, as root"

func loader(draft bool) status.Load {
	return func(path string) (*policy.Policy, document.Findings) { return loadPolicy(path, draft) }
}

// surveyOf looks at what runs on this node, for status and verify. Path is the node's
// policy.
func surveyOf(proc, records, path string, load status.Load) status.Survey {
	judge := &status.Judge{
		Policy: load.Policies(path), Machine: status.Machines(machine), Live: filter.Live,
		Added: func(p *filter.Program) bool { return tighten.Noted(records, p.Instructions) },
	}
	if proc != defaultProc {
		judge.Live = status.NotLive
	}
	return status.Survey{Proc: proc, Records: record.Store{Dir: records}, Judge: judge}
}

func tellStatus(out io.Writer, s *status.Report, all bool) error {
	if s.Policy.Error != "" {
		fmt.Fprintf(out, "policy: no container can start through Batten:\n%s\n", s.Policy.Error)
	} else {
		fmt.Fprintf(out, "policy: %s (sha256 %.12s)%s\n", s.Policy.Path, s.Policy.Digest, modeWords(s.Policy.Mode))
		for _, d := range s.Policy.DropIns {
			fmt.Fprintf(out, "drop-in: %s (sha256 %.12s)\n", d.Path, d.Digest)
		}
		if len(s.Policy.Mandatory) > 0 {
			fmt.Fprintf(out, "no container runs looser than %s, whatever the rules say\n", strings.Join(s.Policy.Mandatory, ", "))
		}
		for _, name := range slices.Sorted(maps.Keys(s.Policy.Except)) {
			fmt.Fprintf(out, "but %s leaves out %s\n", name, strings.Join(s.Policy.Except[name], " and "))
		}
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if len(s.Handlers) > 0 {
		fmt.Fprintln(w, "\nENGINE\tHANDLER\tDEFAULT\tTHROUGH BATTEN\tBY")
	}
	for _, h := range s.Handlers {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", h.Engine, h.Name, yes(h.Default, "-"), through(h), h.By)
	}
	if len(s.Containers) > 0 {
		fmt.Fprintln(w, "\nSAFE\tCONTAINER\tNAME\tPOD\tIMAGE\tPID\tSECCOMP\tFILTERS\tHELD BY\tWHY")
	}
	for _, c := range s.Containers {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%s\t%s\n", yes(c.Safe, "NO"), record.ShortID(c.ContainerdNamespace, c.ID), title(c.Called), c.Pid, c.Seccomp, c.Filters, c.Supervisor, c.Text)
	}
	if all && len(s.OtherProcesses) > 0 {
		fmt.Fprintln(w, "\nPROCESS\tPID\tSECCOMP\tFILTERS\tCGROUP")
		for _, p := range s.OtherProcesses {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\n", p.Name, p.Pid, p.Seccomp, p.Filters, p.Cgroup)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	tellNameable(out, s.Nameable)
	tellBuilders(out, s.Builders)
	tellOlderPods(out, s.OlderPods)
	fmt.Fprintf(out, "\n%s running, %d below the policy or unknown\n", plural(len(s.Containers), "container"), s.Unsafe)
	if len(s.OtherProcesses) > 0 {
		fmt.Fprintf(out, "%s in namespaces of their own that are no container, not judged (--all lists them)\n", plural(len(s.OtherProcesses), "process"))
	}
	for _, problem := range s.Problems {
		fmt.Fprintf(out, "NOT SAFE: %s\n", problem)
	}
	return nil
}

// modeWords says in the header that a policy only audits.
func modeWords(m policy.Mode) string {
	if m == policy.Audit {
		return ", mode Audit: containers run as they ask to"
	}
	return ""
}

func through(h install.Handler) string {
	switch {
	case h.Missing != "":
		return "no: " + h.Missing
	case h.Pending:
		return "no: restart pending"
	case h.Batten:
		return "yes"
	}
	return "no, bypasses it"
}

func yes(b bool, no string) string {
	if b {
		return "yes"
	}
	return no
}

// tellBuilders says of each BuildKit whether its RUN steps go through Batten.
func tellBuilders(w io.Writer, builders []status.Builder) {
	for _, b := range builders {
		if b.Batten {
			fmt.Fprintf(w, "%s: BuildKit's RUN steps go through Batten: %s\n", b.Engine, b.By)
			continue
		}
		fmt.Fprintf(w, "%s: BuildKit's RUN steps bypass Batten: dockerd finds %s; docs/guide/engines.md, BuildKit, says what to do\n", b.Engine, cmp.Or(b.By, "no runc"))
	}
}

// tellNameable prints a line for each engine.
func tellNameable(w io.Writer, names map[string][]string) {
	for _, engine := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(w, "%s: users can name runtimes that bypass Batten: %s", engine, strings.Join(names[engine], ", "))
		if engine == "docker" && slices.Contains(names[engine], "runc") {
			fmt.Fprint(w, "; batten install --docker --all-runtimes closes runc's")
		}
		fmt.Fprintln(w)
	}
}
