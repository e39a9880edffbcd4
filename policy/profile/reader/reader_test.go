package reader_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/profile/reader"
	containerd "github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/moby/profiles/seccomp"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// A file that engines read in different ways, or not at all. testdata/common.jsonl holds
// what containers/common made of each.
func files(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/files.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, strings.NewReplacer(`\n`, "\n", `\ufeff`, "\ufeff").Replace(line))
		}
	}
	return out
}

// capabilities are the bounding sets that each file is read for.
var capabilities = [][]string{nil, {"CAP_SYS_ADMIN"}}

// truth is what an engine makes of a file.
type truth struct {
	Seccomp *specs.LinuxSeccomp `json:"seccomp"`
	Error   string              `json:"error"`
}

func specWith(caps []string) *specs.Spec {
	return &specs.Spec{
		Linux:   &specs.Linux{},
		Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: caps}},
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// byContainerd asks the code that containerd's CRI plugin and ctr read profiles with.
func byContainerd(t *testing.T, file string, caps []string) truth {
	path := filepath.Join(t.TempDir(), "profile.json")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	s := specWith(caps)
	err := containerd.WithProfile(path)(context.Background(), nil, nil, s)
	return truth{s.Linux.Seccomp, errText(err)}
}

// byDocker asks the code that dockerd reads profiles with.
func byDocker(_ *testing.T, file string, caps []string) (out truth) {
	defer func() {
		if r := recover(); r != nil {
			out = truth{nil, fmt.Sprint("panic: ", r)}
		}
	}()
	s, err := seccomp.LoadProfile(file, specWith(caps))
	return truth{s, errText(err)}
}

// TestReadAsTheEngineDoes: what Read returns is what the engine's own code returns, and
// nothing where that, or the runtime behind it, refuses the file.
func TestReadAsTheEngineDoes(t *testing.T) {
	common := recorded(t)
	for _, caps := range capabilities {
		for _, file := range files(t) {
			for engine, real := range map[reader.Engine]truth{
				reader.Containerd: byContainerd(t, file, caps),
				reader.Docker:     byDocker(t, file, caps),
				reader.Podman:     common[key(file, caps)],
				reader.CRIO:       common[key(file, caps)],
			} {
				judge(t, engine, file, caps, real)
			}
		}
	}
}

// TestReadAsTheEngineDoesWhateverIsWritten does the same with the files cut, doubled and
// spelt in other ways.
func TestReadAsTheEngineDoesWhateverIsWritten(t *testing.T) {
	n := 0
	for _, file := range files(t) {
		for _, change := range [][2]string{
			{"names", "Names"},
			{"action", "ACTION"},
			{"args", "argS"},
			{"excludes", "Excludes"},
			{"{", "["},
			{"}", ""},
			{"1", `"1"`},
			{"1", "1.0"},
			{"1", "1e2"},
			{"1", "-1"},
			{"1", "18446744073709551616"},
			{`"SCMP_ACT_ERRNO"`, "null"},
			{`"SCMP_ACT_ERRNO"`, "5"},
			{"[", "[null,"},
			{`["`, `["","`},
			{`{"names"`, `null,{"names"`},
			{"syscalls", "sys\\u0063alls"},
			{"syscalls", "\u017fyscalls"},
		} {
			changed := strings.Replace(file, change[0], change[1], 1)
			if changed == file || strings.Contains(file, "99.0") { // what is wrong in its rule shows on a later kernel
				continue
			}
			n++
			judge(t, reader.Containerd, changed, nil, byContainerd(t, changed, nil))
			judge(t, reader.Docker, changed, nil, byDocker(t, changed, nil))
		}
	}
	if n < 200 {
		t.Errorf("only %d files", n)
	}
}

func judge(t *testing.T, engine reader.Engine, file string, caps []string, real truth) {
	t.Helper()
	p, findings := engine.Read("f.json", []byte(file))
	if p == nil {
		if findings.Err() == nil {
			t.Errorf("%s, %q: neither a profile nor an error", engine, file)
		}
		if real.Error == "" && !refusedByRuntime(real.Seccomp) {
			t.Errorf("%s reads %q, and Read says\n%v", engine, file, findings)
		}
		return
	}
	if real.Error != "" {
		t.Errorf("%s does not read %q: %s; Read returns a profile, %v", engine, file, real.Error, findings)
		return
	}
	s := p.Resolve(profile.Target{Bounding: caps, KernelRelease: "6.1.0"})
	if got, want := text(&s), text(real.Seccomp); got != want {
		t.Errorf("%s, capabilities %q, %q: got\n%s\nwant\n%s", engine, caps, file, got, want)
	}
}

// resolved is a profile for a container without capabilities.
func resolved(p *profile.Profile) *specs.LinuxSeccomp {
	s := p.Resolve(profile.Target{KernelRelease: "6.1.0"})
	return &s
}

// text is a profile as the runtime gets it, without rules that name no call.
func text(s *specs.LinuxSeccomp) string {
	out := *s
	out.Syscalls = slices.DeleteFunc(slices.Clone(s.Syscalls), func(r specs.LinuxSyscall) bool { return len(r.Names) == 0 })
	if len(out.Architectures) == 0 {
		out.Architectures = nil
	}
	data, err := json.Marshal(out)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// refusedByRuntime reports whether runc would refuse a profile, or install no filter.
func refusedByRuntime(s *specs.LinuxSeccomp) bool {
	if s == nil || s.DefaultAction == "" {
		return true
	}
	for _, r := range s.Syscalls {
		if slices.Contains(r.Names, "") || r.Action == specs.ActNotify {
			return true
		}
	}
	_, err := filter.Compile(s)
	denies := profile.Missing(s, false)
	return err != nil || slices.Contains(denies, "execve")
}

func key(file string, caps []string) string { return fmt.Sprintf("%q %q", file, caps) }

// recorded returns what containers/common made of the files: pkg/seccomp at 2025-08-25,
// built with libseccomp-golang 0.12.0 and called as CRI-O does, LoadProfileFromBytes
// with a spec of these capabilities. It is not on the Go module proxy.
func recorded(t *testing.T) map[string]truth {
	t.Helper()
	data, err := os.ReadFile("testdata/common.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	out := make(map[string]truth)
	for _, caps := range capabilities {
		for _, file := range files(t) {
			if !lines.Scan() {
				t.Fatal(errors.New("testdata/common.jsonl has fewer lines than there are files"))
			}
			var one truth
			if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
				t.Fatal(err)
			}
			out[key(file, caps)] = one
		}
	}
	return out
}
