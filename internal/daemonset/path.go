package daemonset

import (
	"fmt"
	"os"
	"strings"
)

// TakePath makes this process find the programs that containerd finds, among them the OCI
// runtime. Call it after [Enter]: a pod has a PATH of its own.
func (a *Agent) TakePath() error {
	pid, err := a.findDaemon()
	if err != nil {
		return err
	}
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return err
	}
	for variable := range strings.SplitSeq(string(environ), "\x00") {
		if path, ok := strings.CutPrefix(variable, "PATH="); ok && path != "" {
			return os.Setenv("PATH", path+":"+os.Getenv("PATH"))
		}
	}
	return nil
}
