package status

import (
	"os"
	"os/exec"
	"strconv"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/procfs"
)

// judgeCRIO says where CRI-O reads another configuration, or was started before one of its files
// was changed. It is not asked what it has read; it may have read some settings again (SIGHUP).
func (s *Report) judgeCRIO(configs install.Configs, proc string, p procfs.Process) {
	what := "not looked at: what crio (process " + strconv.Itoa(p.Pid) + ") starts containers by: "
	if _, err := exec.LookPath("crio"); err != nil {
		s.problem("%sits program is not on PATH", what)
		return
	}
	usual := install.DefaultConfigs.CRIO
	for _, f := range []struct{ read, reads string }{
		{configs.CRIO.Main, procfs.Flag(p.Args(), usual.Main, "-c", "--config")},
		{configs.CRIO.DropIns, procfs.Flag(p.Args(), usual.DropIns, "-d", "--config-dir")},
	} {
		if !sameFile(p, f.read, f.reads) {
			s.problem("%sit reads %s", what, f.reads)
			return
		}
	}
	files, _ := install.CRIOFiles(configs.CRIO) // judgeHandlers has the error
	started, ok := startedAt(proc, p)
	for _, file := range files {
		info, err := os.Stat(file)
		if err == nil && ok && info.ModTime().After(started.Add(clockError)) {
			s.problem("restart pending: crio (process %d) was started before %s was changed: %s", p.Pid, file, restart(p, "crio"))
			return
		}
	}
}
