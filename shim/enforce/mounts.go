package enforce

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/batten-runtime/batten/policy"
)

// mountTable holds the node's mounts by the device of their file system
// (proc_pid_mountinfo(5)). A file has one name for each mount that shows it.
type mountTable map[string][]mount

// mount shows the directory or file root of a file system at point. order numbers the
// mounts: of two at one point, the later one covers the earlier one.
type mount struct {
	device, root, point string
	order               int
}

// readMounts reads the mounts of this process, which are those that the runtime will see.
func readMounts() (mountTable, error) {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	t, order := make(mountTable), 0
	for line := range strings.Lines(string(data)) {
		if f := strings.Fields(line); len(f) > 5 {
			m := mount{device: f[2], root: unescape(f[3]), point: unescape(f[4]), order: order}
			order++
			t[m.device] = append(t[m.device], m)
		}
	}
	return t, nil
}

// unescape undoes the octal escapes of mountinfo.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		out.WriteByte(s[i])
	}
	return out.String()
}

// names returns all names of the file at path on the node: the path itself, the path without
// symbolic links, and one for each other mount that shows the file.
func (t mountTable) names(path string) []string {
	real := path
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		real = resolved
	}
	out := []string{path, real}
	holder, ok := t.holding(real)
	if !ok {
		return out
	}
	rest, _ := below(holder.point, real)
	inner := filepath.Join(holder.root, rest)
	for _, m := range t[holder.device] {
		if rest, ok := below(m.root, inner); ok {
			out = append(out, filepath.Join(m.point, rest))
		}
	}
	return out
}

// holding returns the mount that path is on: the one with the longest point, and of several
// at that point the last.
func (t mountTable) holding(path string) (best mount, ok bool) {
	for _, mounts := range t {
		for _, m := range mounts {
			if _, is := below(m.point, path); !is {
				continue
			}
			longer := len(m.point) - len(best.point)
			if !ok || longer > 0 || longer == 0 && m.order > best.order {
				best, ok = m, true
			}
		}
	}
	return best, ok
}

// shown returns the names of all that a recursive bind mount of path shows: path
// itself, and what other mounts show below it.
func (t mountTable) shown(path string) []string {
	out := t.names(path)
	real := out[1]
	if real == "/" { // which is above every path
		return out
	}
	for _, mounts := range t {
		for _, m := range mounts {
			if rest, is := below(real, m.point); !is || rest == "." {
				continue
			}
			for _, other := range t[m.device] {
				if rest, ok := below(other.root, m.root); ok {
					out = append(out, filepath.Join(other.point, rest))
				}
			}
		}
	}
	return out
}

// below returns path relative to dir; ok is false if path is not dir and not below it.
func below(dir, path string) (rest string, ok bool) {
	if path == dir {
		return ".", true
	}
	rest, ok = strings.CutPrefix(path, strings.TrimSuffix(dir, "/")+"/")
	return rest, ok
}

// lookMounts adds to the mounts of r all names that they have on the node, and those of the
// policy's patterns that are another name of the same file.
func lookMounts(r *policy.Request, patterns []string) error {
	t, err := readMounts()
	if err != nil {
		return err
	}
	var all []string
	for _, source := range r.Mounts {
		all = append(all, t.shown(source)...)
	}
	var roots []string
	for _, root := range r.Root {
		roots = append(roots, t.names(root)...)
	}
	for _, pattern := range patterns {
		if strings.ContainsAny(pattern, `*?[\`) {
			continue
		}
		for _, name := range t.names(pattern) {
			if slices.ContainsFunc(all, func(m string) bool { return policy.Meet(name, m) }) {
				all = append(all, pattern)
				break
			}
		}
	}
	r.Mounts, r.Root = unique(all), unique(roots)
	return nil
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
