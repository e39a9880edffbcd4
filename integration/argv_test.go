package integration

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
	"github.com/batten-runtime/batten/shim/runc"
)

// argvRounds is how many random command lines each runtime is given.
const argvRounds = 500

// Pieces of command lines: each bundle's spec is one that the runtime reads and
// then refuses, naming the bundle.
var (
	argvGlobals  = []string{"--debug", "--debug=false", "--log", "--log=LOG", "-log", "--log-format", "json", "--root=ROOT", "--systemd-cgroup", "--rootless", "--", "-v"}
	argvCommands = []string{"create", "create", "create", "run", "restore", "state", "start"}
	argvRest     = []string{
		"-b", "--bundle", "-bundle", "--bundle=a", "-b=a", "-bb", "--bun", "--bundle=", "a", "b", "c", "id", "id",
		"--pid-file", "--pid-file=PID", "--no-pivot", "-d", "--detach", "--", "--keep", "-f", "--config", "-", "--preserve-fds", "1", "--detach=false", "--keep=T", "--no-mount-fallback",
	}
)

// TestArguments: whatever bundle the real runtime takes, batten-runc takes the
// same or refuses the call.
func TestArguments(t *testing.T) {
	n := node.Start(t, "debian")
	for name, runtime := range map[string]string{
		"runc 1.1.5": n.Runtime(), "runc 1.5.2": node.RuntimeOf(newest), "runc 1.6": node.RuntimeOf(nextRunc), "crun 1.8.1": node.CrunHere(t, n),
	} {
		t.Run(name, func(t *testing.T) { checkArguments(t, runtime) })
	}
}

func checkArguments(t *testing.T, runtime string) {
	dir := t.TempDir()
	for _, bundle := range []string{".", "a", "b", "c"} {
		spec := `{"ociVersion":"1.0.2","process":{"args":["x"],"cwd":"/","user":{"uid":0,"gid":0}},"mounts":[],"root":{"path":"MARK-` + filepath.Base(filepath.Join("/here", bundle)) + `"},"linux":{"namespaces":[{"type":"mount"}]}}`
		writeFile(t, filepath.Join(dir, bundle, "config.json"), spec)
	}
	mark := regexp.MustCompile(`MARK-(\w+)`)
	r := rand.New(rand.NewPCG(6, 1))
	same, refused := 0, 0
	for range argvRounds {
		args := randomArgv(r)
		cmd := exec.Command(runtime, append([]string{"--root=" + filepath.Join(dir, "root")}, args...)...)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput()
		if log, err := os.ReadFile(filepath.Join(dir, "LOG")); err == nil {
			out = append(out, log...)
			_ = os.Remove(filepath.Join(dir, "LOG"))
		}
		m := mark.FindSubmatch(out)
		call, err := runc.Parse(args, filepath.Base(runtime))
		switch {
		case m == nil: // it makes nothing
		case err != nil:
			refused++
		case !call.Makes() || !sameBundle(call.Bundle, string(m[1])):
			t.Errorf("%q: the runtime takes %s, batten-runc %+v", args, m[1], call)
		default:
			same++
		}
	}
	t.Logf("%d command lines: the same bundle %d times, refused %d times what the runtime takes", argvRounds, same, refused)
	if same < argvRounds/25 {
		t.Errorf("only %d of %d command lines had a bundle that both found", same, argvRounds)
	}
}

func sameBundle(bundle, want string) bool {
	return filepath.Base(filepath.Join("/here", bundle)) == want
}

func randomArgv(r *rand.Rand) (args []string) {
	for range r.IntN(3) {
		args = append(args, argvGlobals[r.IntN(len(argvGlobals))])
	}
	args = append(args, argvCommands[r.IntN(len(argvCommands))])
	for range r.IntN(5) {
		args = append(args, argvRest[r.IntN(len(argvRest))])
	}
	if r.IntN(2) == 0 {
		args = append(args, "-b", fmt.Sprintf("%c", 'a'+r.IntN(3)), "id")
	}
	return args
}
