package procfs

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// cgroupRoot is where systemd and the engines mount cgroups: cgroup v2 itself, or a directory for
// each hierarchy of cgroup v1.
const cgroupRoot = "/sys/fs/cgroup"

// InCgroup returns the processes in a cgroup, and in those below it; none if there is no such
// cgroup. It is much faster than [All], and so sees processes that do not live long.
func InCgroup(cgroup string) (pids []int) {
	dirs, _ := filepath.Glob(cgroupRoot + "/*/cgroup.procs")
	for _, root := range append([]string{cgroupRoot + "/cgroup.procs", cgroupRoot + "/pids/cgroup.procs"}, dirs...) {
		dir := filepath.Join(filepath.Dir(root), cgroup)
		if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err != nil {
			continue
		}
		_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.IsDir() {
				return nil
			}
			data, _ := os.ReadFile(filepath.Join(path, "cgroup.procs"))
			for _, field := range strings.Fields(string(data)) {
				if pid, err := strconv.Atoi(field); err == nil && pid > 0 { // 0 is one of another pid namespace
					pids = append(pids, pid)
				}
			}
			return nil
		})
		if len(pids) > 0 {
			break
		}
	}
	return pids
}
