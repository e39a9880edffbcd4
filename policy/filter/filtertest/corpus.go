package filtertest

import (
	"embed"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/profile"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

//go:embed testdata/*.json
var files embed.FS

//go:embed testdata/runc/loaded.json
var loaded []byte

// Loaded is a profile, and the program that the kernel had once runc 1.5.2 had started
// a container with it.
type Loaded struct {
	Profile      specs.LinuxSeccomp `json:"profile"`
	Instructions []unix.SockFilter  `json:"instructions"`
}

// ByRunc are some: `PROFILES=90 go test ./integration -run TestCompiled -update` writes them.
func ByRunc(t testing.TB) (all []Loaded) {
	t.Helper()
	if err := json.Unmarshal(loaded, &all); err != nil || len(all) == 0 {
		t.Fatalf("%d programs (%v)", len(all), err)
	}
	return all
}

// Corpus are profiles that people use: containerd's default for no, some and all
// capabilities, a deny-list, a recording, and those in the folder CORPUS.
func Corpus(t testing.TB) map[string]specs.LinuxSeccomp {
	t.Helper()
	all := []string{"CAP_SYS_ADMIN", "CAP_BPF", "CAP_PERFMON", "CAP_SYS_PTRACE", "CAP_SYS_TIME", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_BOOT", "CAP_SYS_CHROOT", "CAP_SYSLOG", "CAP_SYS_NICE", "CAP_DAC_READ_SEARCH", "CAP_SYS_PACCT", "CAP_SYS_TTY_CONFIG"}
	out := map[string]specs.LinuxSeccomp{
		"default":           profile.RuntimeDefault(nil),
		"default+SYS_ADMIN": profile.RuntimeDefault(all[:1]),
		"default+all":       profile.RuntimeDefault(all),
	}
	add(t, out, files, "testdata/*.json")
	if dir := os.Getenv("CORPUS"); dir != "" {
		add(t, out, os.DirFS(dir), "*.json")
	}
	return out
}

// add adds a folder's profiles; one that does not load is left out, and said.
func add(t testing.TB, out map[string]specs.LinuxSeccomp, folder fs.FS, pattern string) {
	t.Helper()
	found, err := fs.Glob(folder, pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("no profiles in %v (%v)", folder, err)
	}
	for _, file := range found {
		data, err := fs.ReadFile(folder, file)
		if err != nil {
			t.Fatal(err)
		}
		p, findings := profile.ParseWrapped(file, data)
		if p == nil {
			t.Logf("%s is left out: %v", file, findings.Err())
			continue
		}
		out[strings.TrimSuffix(path.Base(file), ".json")] = p.Resolve(profile.Target{KernelRelease: "6.1"})
	}
}
