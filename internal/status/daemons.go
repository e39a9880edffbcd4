package status

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/procfs"
)

// judgeDaemons compares the configurations that were read with what the daemons that run
// have: a daemon may read another file, or may not have read this one since it was changed.
func (s *Report) judgeDaemons(configs install.Configs, proc string, processes map[int]procfs.Process) {
	for _, pid := range slices.Sorted(maps.Keys(processes)) {
		p := processes[pid]
		switch {
		case isContainerd(p):
			// dockerd's own containerd has no CRI plugin.
			if processes[p.Parent].Name != "dockerd" {
				s.judgeContainerd(configs, proc, p)
			}
		case p.Name == "dockerd":
			s.judgeDockerd(configs, proc, p)
		case p.Name == "crio":
			s.judgeCRIO(configs, proc, p)
		}
	}
}

// isContainerd reports whether a process of the host is containerd. In k3s and RKE2 it is
// a program that does several things, by what it is called.
func isContainerd(p procfs.Process) bool {
	switch p.Name {
	case "containerd":
		return true
	case "k3s", "rke2":
		args := p.Args()
		return len(args) > 0 && filepath.Base(args[0]) == "containerd"
	}
	return false
}

func (s *Report) judgeContainerd(configs install.Configs, proc string, p procfs.Process) {
	reads := procfs.Flag(p.Args(), install.DefaultContainerd, "-c", "--config")
	running, err := askContainerd(proc, p, reads)
	if err != nil { // a fake /proc, another API than CRI's v1, or no CRI plugin
		if s.judgeDaemon(p, configs.Containerd, reads, "--containerd") {
			s.judgeAge(p, proc, configs.Containerd)
		}
		return
	}
	if _, err := exec.LookPath(install.ContainerdProgram(configs.Containerd)); err == nil && sameFile(p, configs.Containerd, reads) {
		s.judgeRunning(p, "containerd", running)
		return
	}
	s.Handlers = append(s.Handlers, running...)
}

func (s *Report) judgeDockerd(configs install.Configs, proc string, p procfs.Process) {
	reads := procfs.Flag(p.Args(), install.DefaultDocker, "--config-file")
	s.Builders = append(s.Builders, builder(proc, p))
	looked := s.judgeDaemon(p, configs.Docker, reads, "--docker")
	s.judgeDockerDefault(p)
	if !looked {
		return
	}
	running, err := askDocker(proc, p, install.DockerHosts(configs.Docker))
	if err != nil {
		s.judgeAge(p, proc, configs.Docker)
		return
	}
	if procfs.Flag(p.Args(), "", "--default-runtime") != "" { // judgeDockerDefault has judged it
		for k, h := range running {
			running[k].Default = slices.ContainsFunc(s.Handlers, func(other install.Handler) bool {
				return other.Engine == "docker" && other.Name == h.Name && other.Default
			})
		}
	}
	s.judgeRunning(p, "docker", running)
}

// judgeRunning marks the handlers of an engine that its daemon does not have as its
// configuration says, and says what to do.
func (s *Report) judgeRunning(p procfs.Process, engine string, running []install.Handler) {
	has := make(map[string]install.Handler)
	for _, h := range running {
		has[h.Name] = h
	}
	var pending []string
	for k, h := range s.Handlers {
		if h.Engine != engine || h.Name == "runc" && engine == "docker" && !h.Default {
			continue // built in
		}
		now, ok := has[h.Name]
		builtIn := engine == "docker" && h.By == runcType && h.Name == "runc"
		// dockerd names the paths of its runtimes, but not the types of shims.
		shim := engine == "docker" && now.By == "" && !strings.HasPrefix(h.By, "/")
		if ok && now.Default == h.Default && (now.By == h.By || builtIn || shim) {
			continue
		}
		s.Handlers[k].Pending = true
		pending = append(pending, h.Name)
	}
	for _, now := range running {
		if engine == "containerd" && !slices.ContainsFunc(s.Handlers, func(h install.Handler) bool { return h.Engine == engine && h.Name == now.Name }) {
			pending = append(pending, now.Name)
		}
	}
	if len(pending) > 0 {
		s.problem("restart pending: %s (process %d) runs with another configuration of %s than its file says: %s",
			p.Name, p.Pid, strings.Join(pending, ", "), restart(p, engine))
	}
}

const runcType = "io.containerd.runc.v2"

// restart returns the command that restarts a daemon.
func restart(p procfs.Process, engine string) string {
	if unit := p.Unit(); unit != "" {
		return "systemctl restart " + unit
	}
	return "restart " + map[string]string{"containerd": "containerd", "docker": "dockerd", "crio": "crio"}[engine]
}

// sameFile reports whether a daemon reads a file.
func sameFile(p procfs.Process, file, reads string) bool {
	if !filepath.IsAbs(reads) {
		reads = filepath.Join(p.Dir, reads)
	}
	absolute, err := filepath.Abs(file)
	return err == nil && absolute == filepath.Clean(reads)
}

// judgeDaemon reports whether the configuration of a daemon was read, and says where not.
func (s *Report) judgeDaemon(p procfs.Process, read, reads, flag string) bool {
	what := "not looked at: what " + p.Name + " (process " + strconv.Itoa(p.Pid) + ") starts containers by: "
	if _, err := exec.LookPath(p.Name); err != nil {
		s.problem("%sits program is not on PATH", what)
		return false
	}
	if !sameFile(p, read, reads) {
		if !filepath.IsAbs(reads) {
			reads = filepath.Join(p.Dir, reads)
		}
		s.problem("%sit reads %s; look with %s %s", what, reads, flag, reads)
		return false
	}
	return true
}

// judgeAge says where a daemon that cannot be asked was started before its configuration
// was changed. containerd reads it only once; dockerd may have read its own again (SIGHUP).
func (s *Report) judgeAge(p procfs.Process, proc, config string) {
	info, err := os.Stat(config)
	started, ok := startedAt(proc, p)
	if err != nil || !ok || !info.ModTime().After(started.Add(clockError)) {
		return
	}
	if p.Name == "dockerd" {
		s.problem("restart pending: dockerd (process %d) was started before %s was changed, and does not answer: %s", p.Pid, config, restart(p, "docker"))
		return
	}
	s.problem("restart pending: containerd (process %d) was started before %s was changed, and has not read it: %s", p.Pid, config, restart(p, "containerd"))
}

// clockError is how far the start of a process may be off: the kernel tells when it was
// started itself in whole seconds.
const clockError = 2 * time.Second

// startedAt returns when a process was started.
func startedAt(proc string, p procfs.Process) (time.Time, bool) {
	data, _ := os.ReadFile(filepath.Join(proc, "stat"))
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, "btime "); ok {
			boot, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			return time.Unix(boot, 0).Add(time.Duration(p.StartTime) * time.Second / procfs.Ticks), err == nil && p.StartTime != 0
		}
	}
	return time.Time{}, false
}

// judgeDockerDefault looks for a default on the command line of dockerd, which
// daemon.json does not have then.
func (s *Report) judgeDockerDefault(p procfs.Process) {
	name := procfs.Flag(p.Args(), "", "--default-runtime")
	if name == "" || slices.ContainsFunc(s.Handlers, func(h install.Handler) bool {
		return h.Engine == "docker" && h.Name == name && h.Batten
	}) {
		return
	}
	s.problem("docker's default, %s on the command line of dockerd, bypasses Batten: only containers that name another one go through it", name)
}
