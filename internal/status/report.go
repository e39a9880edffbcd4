package status

import (
	"fmt"
	"slices"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/procfs"
	"github.com/batten-runtime/batten/policy"
)

// Question is what Answer looks at.
type Question struct {
	Survey
	// Policy is the file of the node's policy, and Load reads one.
	Policy string
	Load   Load
	// Configs are the engines' configurations.
	Configs install.Configs
	// Installed is the directory in which batten install keeps what was there before; empty
	// for not to look.
	Installed string
}

// Report is the whole answer of batten status.
type Report struct {
	// Safe is set where Problems is empty and all containers are safe.
	Safe bool `json:"safe"`
	// Problems are what lets containers run below the policy, now or from now on, and
	// what could not be looked at.
	Problems []string `json:"problems"`
	Policy   struct {
		Path   string      `json:"path"`
		Digest string      `json:"digest,omitempty"`
		Mode   policy.Mode `json:"mode,omitempty"`
		// DropIns were read with it, and Mandatory names the mandatory floors. Except are the
		// containers that floors leave out, by the name of the floor.
		DropIns   []policy.DropIn     `json:"dropIns,omitempty"`
		Mandatory []string            `json:"mandatoryFloors,omitempty"`
		Except    map[string][]string `json:"except,omitempty"`
		// Error says why no container can start; empty if the policy is fine.
		Error string `json:"error,omitempty"`
	} `json:"policy"`
	Handlers []install.Handler `json:"handlers"`
	// HandlersError says why the engines' configurations cannot be told.
	HandlersError string      `json:"handlersError,omitempty"`
	Containers    []Container `json:"containers"`
	// Others counts processes in namespaces of their own that are no container.
	Others int `json:"otherProcesses"`
	// OlderPods are those whose later containers bypass Batten.
	OlderPods []OlderPod `json:"olderPods"`
	// Nameable are runtimes that bypass Batten and that users can name, by engine.
	Nameable map[string][]string `json:"nameableRuntimes,omitempty"`

	// Builders are the BuildKits in dockerds that run.
	Builders []Builder `json:"builders,omitempty"`

	// OtherProcesses are those that Others counts, and Unsafe is how many containers are
	// not safe.
	OtherProcesses []procfs.Process `json:"-"`
	Unsafe         int              `json:"-"`
}

// Answer answers whether the node is safe.
func (q Question) Answer() (*Report, error) {
	s := &Report{Problems: []string{}}
	q.Configs.Containerd = install.ContainerdConfig(q.Configs.Containerd)
	s.judgePolicy(q)
	n, err := q.Look()
	if err != nil {
		return nil, err
	}
	for _, what := range n.Unseen {
		s.problem("not looked at: %s", what)
	}
	s.Containers, s.OtherProcesses, s.Others, s.Unsafe = n.Containers, n.Others, len(n.Others), n.Unsafe()
	s.judgeHandlers(q, n.Host)
	s.judgeInstalled(q.Installed)
	s.Safe = len(s.Problems) == 0 && s.Unsafe == 0
	return s, nil
}

func (s *Report) problem(format string, args ...any) {
	s.Problems = append(s.Problems, fmt.Sprintf(format, args...))
}

func (s *Report) judgePolicy(q Question) {
	p, findings := q.Load(q.Policy)
	s.Policy.Path = q.Policy
	if err := findings.Err(); err != nil {
		s.Policy.Error = err.Error()
		s.problem("no container can start through Batten: the policy cannot be read")
		return
	}
	s.Policy.Path, s.Policy.Digest, s.Policy.Mode = p.Path, p.Digest, p.Mode
	s.Policy.DropIns = p.DropIns
	for _, m := range p.Mandatory {
		s.Policy.Mandatory = append(s.Policy.Mandatory, m.Name)
		for _, e := range m.Except {
			if s.Policy.Except == nil {
				s.Policy.Except = make(map[string][]string)
			}
			s.Policy.Except[m.Name] = append(s.Policy.Except[m.Name], e.String())
		}
	}
	if p.Mode == policy.Audit {
		s.problem("the policy only audits: containers run as they ask to, until it says mode: Enforce")
	}
}

func (s *Report) judgeHandlers(q Question, processes map[int]procfs.Process) {
	var err error
	if s.Handlers, err = install.Handlers(q.Configs); err != nil {
		s.HandlersError = err.Error()
		s.problem("not looked at: what the engines start containers by: %s", s.HandlersError)
	}
	s.judgeDaemons(q.Configs, q.Proc, processes)
	markByPath(q.Proc, processes, s.Handlers)
	s.Nameable = nameableRuntimes(q.Proc, processes, s.Handlers)
	if s.OlderPods = OlderPods(processes); len(s.OlderPods) > 0 && isDefault(s.Handlers) {
		s.problem("later containers of %s may bypass Batten", pods(len(s.OlderPods)))
	}
	for k, h := range s.Handlers {
		switch {
		case h.Missing != "":
			s.Handlers[k].Batten = false
			s.problem("%s cannot start containers by %s: %s", h.Engine, h.Name, h.Missing)
		case h.Pending:
			s.Handlers[k].Batten = false // judgeRunning has said it
		case h.Default && !h.Batten:
			s.problem("%s's default, %s, bypasses Batten: only containers that name another one go through it", h.Engine, h.Name)
		case h.NoPods:
			s.problem("%s calls batten-runc by the name for other engines, so that no rule for pods matches: write runtime_path = %q for the handler %s", h.Engine, h.By+"-crio", h.Name)
		case h.Batten && h.Policy != "" && h.Policy != policy.DefaultPath:
			s.judgeOwnPolicy(q, h)
		}
	}
}

// judgeInstalled says where an installation was interrupted, or written over.
func (s *Report) judgeInstalled(dir string) {
	if dir == "" {
		return
	}
	unfinished, err := install.Unfinished(dir)
	for _, text := range unfinished {
		s.problem("%s", text)
	}
	if err != nil {
		s.problem("not looked at: what batten install wrote: %s", err)
	}
}

// judgeOwnPolicy judges the policy that a handler has in place of the node's.
func (s *Report) judgeOwnPolicy(q Question, h install.Handler) {
	switch p, findings := q.Load(h.Policy); {
	case findings.Err() != nil:
		s.problem("%s cannot start containers by %s: %s", h.Engine, h.Name, findings.Errors()[0])
	case p.Mode == policy.Audit:
		s.problem("the policy of %s's %s, %s, only audits: containers run as they ask to, until it says mode: Enforce", h.Engine, h.Name, h.Policy)
	}
}

func pods(n int) string {
	if n == 1 {
		return "1 pod"
	}
	return fmt.Sprintf("%d pods", n)
}

// isDefault reports whether pods that name no handler go through Batten.
func isDefault(handlers []install.Handler) bool {
	return slices.ContainsFunc(handlers, func(h install.Handler) bool {
		return h.Engine == "containerd" && h.Default && h.Batten
	})
}
