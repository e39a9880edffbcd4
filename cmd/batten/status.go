package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/batten-runtime/batten/install"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/batten-runtime/batten/status"
)

// nodeStatus is what batten status tells.
type nodeStatus struct {
	Policy struct {
		Path   string `json:"path"`
		Digest string `json:"digest,omitempty"`
		// Error says why no container can start; empty if the policy is fine.
		Error string `json:"error,omitempty"`
	} `json:"policy"`
	Handlers []install.Handler `json:"handlers"`
	// HandlersError says why the engines' configurations cannot be told.
	HandlersError string             `json:"handlersError,omitempty"`
	Containers    []status.Container `json:"containers"`
}

// showStatus answers whether the node is safe.
func showStatus(i *invocation) error {
	configs := install.DefaultConfigs
	dir := i.flags.String("dir", enforce.DefaultRecords, "`directory` of the records")
	proc := i.flags.String("proc", "/proc", "`directory` where the kernel tells of processes")
	path := i.flags.String("policy", policy.DefaultPath, "`file` of the policy")
	draft := i.flags.Bool("draft", false, "the policy's owner and mode do not matter")
	asJSON := i.flags.Bool("json", false, "print a JSON object")
	i.flags.StringVar(&configs.Containerd, "containerd", configs.Containerd, "`file` of containerd's configuration")
	i.flags.StringVar(&configs.Docker, "docker", configs.Docker, "`file` of dockerd's configuration")
	if err := i.parse(0); err != nil {
		return err
	}
	var s nodeStatus
	p, findings := loadPolicy(*path, *draft)
	s.Policy.Path = *path
	if err := findings.Err(); err != nil {
		s.Policy.Error, p = err.Error(), nil
	} else {
		s.Policy.Path, s.Policy.Digest = p.Path, p.Digest
	}
	var err error
	if s.Handlers, err = install.Handlers(configs); err != nil {
		s.HandlersError = err.Error()
	}
	unsafe, err := s.survey(*proc, *dir, p)
	if err == nil && unsafe > 0 {
		// A container may be on its way: runc has made it and not yet filtered it.
		time.Sleep(secondLook)
		unsafe, err = s.survey(*proc, *dir, p)
	}
	if err != nil {
		return hinted{err, "batten status reads /proc and the records: run it on the node, as root"}
	}
	if *asJSON {
		enc := json.NewEncoder(i.stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(s)
	} else {
		err = i.tellStatus(s, unsafe)
	}
	if err == nil && (unsafe > 0 || s.Policy.Error != "") {
		return errNo
	}
	return err
}

const secondLook = 300 * time.Millisecond

// survey finds the containers and judges them.
func (s *nodeStatus) survey(proc, records string, p *policy.Policy) (unsafe int, err error) {
	processes, err := status.Processes(proc)
	if err != nil {
		return 0, err
	}
	list, err := enforce.Records{Dir: records}.List()
	if err != nil {
		return 0, err
	}
	s.Containers = status.Containers(processes, list)
	for k := range s.Containers {
		c := &s.Containers[k]
		if c.Judge(p); !c.Safe {
			unsafe++
		}
	}
	return unsafe, nil
}

func (i *invocation) tellStatus(s nodeStatus, unsafe int) error {
	if s.Policy.Error != "" {
		fmt.Fprintf(i.stdout, "policy: no container can start through Batten:\n%s\n", s.Policy.Error)
	} else {
		fmt.Fprintf(i.stdout, "policy: %s (sha256 %.12s)\n", s.Policy.Path, s.Policy.Digest)
	}
	if s.HandlersError != "" {
		fmt.Fprintf(i.stdout, "engines: %s\n", s.HandlersError)
	}
	w := tabwriter.NewWriter(i.stdout, 0, 0, 2, ' ', 0)
	if len(s.Handlers) > 0 {
		fmt.Fprintln(w, "\nENGINE\tHANDLER\tDEFAULT\tTHROUGH BATTEN\tBY")
	}
	for _, h := range s.Handlers {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", h.Engine, h.Name, yes(h.Default, "-"), yes(h.Batten, "no, goes round"), h.By)
	}
	if len(s.Containers) > 0 {
		fmt.Fprintln(w, "\nSAFE\tCONTAINER\tPID\tSECCOMP\tFILTERS\tHELD BY\tWHY")
	}
	for _, c := range s.Containers {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%s\t%s\n", yes(c.Safe, "NO"), statusName(c), c.Pid, c.Seccomp, c.Filters, c.Supervisor, c.Verdict)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(i.stdout, "\n%s running, %d below the policy or not to be told\n", plural(len(s.Containers), "container"), unsafe)
	return err
}

// statusName is a container's name as batten records has it, or its id.
func statusName(c status.Container) string {
	if c.Record != nil {
		return containerName(c.Record)
	}
	id := c.ID
	if len(id) == 64 {
		id = id[:12]
	}
	if c.ContainerdNamespace != "" {
		return c.ContainerdNamespace + "/" + id
	}
	return id
}

func yes(b bool, no string) string {
	if b {
		return "yes"
	}
	return no
}
