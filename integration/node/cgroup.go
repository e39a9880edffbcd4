package node

import (
	"os"
	"path/filepath"
)

// MakeCgroup makes a cgroup in every hierarchy and returns the directories.
func MakeCgroup(t T, group string) []string {
	t.Helper()
	roots, _ := filepath.Glob("/sys/fs/cgroup/*/cgroup.procs")
	if Exists("/sys/fs/cgroup/cgroup.procs") {
		roots = []string{"/sys/fs/cgroup/cgroup.procs"}
	}
	var made []string
	for _, root := range roots {
		dir := filepath.Join(filepath.Dir(root), group)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		// A cpuset takes processes once it has CPUs and memory.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			for _, d := range []string{filepath.Dir(dir), dir} {
				if all, err := os.ReadFile(filepath.Join(filepath.Dir(root), file)); err == nil {
					_ = os.WriteFile(filepath.Join(d, file), all, 0o644)
				}
			}
		}
		made = append(made, dir)
	}
	return made
}
