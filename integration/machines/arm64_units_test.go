package machines

import (
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/integration/node"
)

// units are the packages whose tests run on the arm64 machine, with what is given to them: all of
// which the kernel or the processor is a part.
var units = []struct{ dir, args string }{
	{dir: "internal/kernel"},
	{dir: "internal/tighten"},
	{dir: "policy/bpf"},
	{dir: "policy/profile", args: "-test.short"},
	{dir: "policy/syscalls"},
	{dir: "policy/filter", args: "-test.run 'TestKernelAgrees|TestLive'"},
}

// TestArm64Units compiles tests for arm64, and runs them there.
func TestArm64Units(t *testing.T) {
	m := debian12arm64(t, everything)
	files := map[string][]byte{"src.tar": sources(t)}
	commands := []string{"mkdir /root/src && tar -xf /run/in/src.tar -C /root/src"}
	for _, u := range units {
		name := strings.ReplaceAll(u.dir, "/", "_") + ".test"
		files[name] = testProgram(t, u.dir)
		commands = append(commands, "cd "+path.Join("/root/src", u.dir)+" && PAIRS=4 timeout 300 /run/in/"+name+" -test.v "+u.args)
	}
	for i, said := range m.boot(t, commands, files)[1:] {
		passed := strings.Count(said.text, "--- PASS: ")
		t.Logf("%s: %d tests and cases passed, %d skipped, in %.0f s", units[i].dir, passed, strings.Count(said.text, "--- SKIP: "), said.ended-said.began)
		if said.status != 0 || passed == 0 {
			t.Errorf("%s: status %d\n%s", units[i].dir, said.status, tail(said.text, 60))
		}
	}
}

// sources are the repository's files, which tests read.
func sources(t *testing.T) []byte {
	t.Helper()
	cmd := exec.Command("sh", "-c", "git ls-files -z | tar --null -T - -c")
	cmd.Dir = node.Root()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// testProgram compiles the tests of a package for arm64, as make dist compiles its programs.
func testProgram(t *testing.T, dir string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "test")
	cmd := exec.Command("sh", "-c", `settings=$(tools/dist/arm64.sh) && eval "export $settings" && GOARCH=arm64 CGO_ENABLED=1 go test -c -ldflags '-s -w' -o "$1" "$2"`, "sh", out, "./"+dir)
	cmd.Dir = node.Root()
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return read(t, out)
}
