package peers

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"golang.org/x/sys/unix"
)

// result is what became of each test by name.
type result map[string]string

var ended = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): (\S+) \(`)

func results(out []byte) result {
	r := make(result)
	for _, m := range ended.FindAllSubmatch(out, -1) {
		r[string(m[2])] = string(m[1])
	}
	return r
}

func (r result) sums() map[string]int {
	sums := make(map[string]int)
	for _, what := range r {
		sums[what]++
	}
	return sums
}

// differs are the tests that ended in another way.
func (r result) differs(other result) (names []string) {
	for name, what := range r {
		if other[name] != what {
			names = append(names, name)
		}
	}
	for name := range other {
		if _, known := r[name]; !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// ends is how one test ended, run by run, with each shim.
type ends struct{ stock, batten []string }

// meet reports whether an end with Batten was seen with the stock shim, too.
func (e ends) meet() bool {
	return slices.ContainsFunc(e.batten, func(end string) bool { return slices.Contains(e.stock, end) })
}

// output is a file for what a suite writes: in the directory KEEP, or one that goes
// with the test.
func output(t *testing.T, name string) *os.File {
	t.Helper()
	dir := os.Getenv("KEEP")
	if dir == "" {
		dir = t.TempDir()
	}
	f, err := os.Create(filepath.Join(dir, name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// read is a file's content, none where there is no file.
func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return data
}

// keepFiles lets no further process have the files that whoever runs the tests left open: a
// suite counts the pipes of a shim.
func keepFiles(t *testing.T) {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if fd, err := strconv.Atoi(f.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}

// cgroups are the machine's, but for other nodes'.
func cgroups() (dirs []string) {
	all, _ := filepath.Glob("/sys/fs/cgroup/*/*")
	return slices.DeleteFunc(all, func(path string) bool {
		info, err := os.Stat(path)
		return err != nil || !info.IsDir() || strings.HasPrefix(filepath.Base(path), "bt-")
	})
}

// removeCgroups removes those that have come since, with what is below them: the
// suites' containers have the same names on every machine. One that is in use stays.
func removeCgroups(before []string) {
	for _, top := range cgroups() {
		if slices.Contains(before, top) {
			continue
		}
		for _, dir := range node.Cgroups(top) {
			_ = os.Remove(dir)
		}
	}
}
