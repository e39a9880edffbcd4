package block_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/batten-runtime/batten/internal/block"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const blocks = "../../deploy/policies/blocks"

// Each shipped drop-in blocks what its first line says, on amd64 and arm64, and says of
// RuntimeDefault what is so.
func TestShipped(t *testing.T) {
	files, err := filepath.Glob(blocks + "/*.yaml")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d blocks, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, findings := policy.ParseDropIn(file, text, nil)
			if err := findings.Err(); err != nil {
				t.Fatal(err)
			}
			name := strings.TrimSuffix(filepath.Base(file), ".yaml")
			if len(p.Mandatory) != 1 || p.Mandatory[0].Name != name {
				t.Fatalf("demands %+v", p.Mandatory)
			}
			s := shipped(t, file, text)
			b := written(t, name, text)
			if got, want := rules(t, s.Syscalls), rules(t, b.Profile().Syscalls); got != want && name != "mount-api" { // it answers ENOSYS
				t.Errorf("rules %s, want %s", got, want)
			}
			if want := b.Profile().Architectures; !slices.Equal(s.Architectures, want) {
				t.Errorf("architectures %q, want %q", s.Architectures, want)
			}
			said := regexp.MustCompile(`(?m)^# RuntimeDefault without capabilities: (.*)\.$`).FindSubmatch(text)
			if said == nil || string(said[1]) != underDefault(t, s) {
				t.Errorf("it says %q of RuntimeDefault, and it is %s", said, underDefault(t, s))
			}
			for _, line := range []string{"# Breaks: "} {
				if !strings.Contains(string(text), "\n"+line) {
					t.Errorf("no line %q", line)
				}
			}
		})
	}
}

// shipped returns the profile of a drop-in, as a container without a filter gets it.
func shipped(t *testing.T, file string, text []byte) *specs.LinuxSeccomp {
	t.Helper()
	demand, err := block.Demand(file, text)
	if err != nil {
		t.Fatal(err)
	}
	return demand.Resolve(policy.Request{}, nil, policy.Machine{}).Result
}

// written returns the block that a drop-in's first line asks for.
func written(t *testing.T, name string, text []byte) block.Block {
	t.Helper()
	asked, ok := block.Asked(text)
	if !ok {
		t.Fatalf("the first line is no call of batten block")
	}
	var calls []string
	for _, m := range regexp.MustCompile(`'([^']*)'`).FindAllStringSubmatch(asked, -1) {
		calls = append(calls, m[1])
	}
	b, err := block.New(name, parse(t, calls...), 0)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rules writes rules of one name each, whichever way they were joined.
func rules(t *testing.T, all []specs.LinuxSyscall) string {
	t.Helper()
	var out []string
	for _, r := range all {
		for _, name := range r.Names {
			one := r
			one.Names = []string{name}
			text, err := json.Marshal(one)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(text))
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// underDefault says whether RuntimeDefault denies the calls: by the algebra, and the proof of
// libseccomp's own programs agrees.
func underDefault(t *testing.T, s *specs.LinuxSeccomp) string {
	t.Helper()
	standard := profile.RuntimeDefault(nil)
	met, _, err := floor.Floor(*s, standard, floor.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	closed := looser(t, s, &standard) == nil
	if closed != met.Unchanged {
		t.Errorf("the floor leaves RuntimeDefault as it is: %v; proved closed: %v", met.Unchanged, closed)
	}
	if w := looser(t, s, &met.Seccomp); w != nil {
		t.Errorf("under the block, RuntimeDefault is open: %v", w)
	}
	if met.Unchanged {
		return "closed"
	}
	changes, err := semantics.Between(&standard, &met.Seccomp, nil)
	if err != nil {
		t.Fatal(err)
	}
	if denied := slices.Concat(changes.Denied, changes.DeniedSome); len(denied) == 1 && denied[0] == "socketcall" {
		return "open to 32-bit programs through socketcall, else closed"
	}
	return "open"
}

func looser(t *testing.T, demanded, own *specs.LinuxSeccomp) *filter.Witness {
	t.Helper()
	first, err := filter.Compile(demanded)
	if err != nil {
		t.Fatal(err)
	}
	second, err := filter.Compile(own)
	if err != nil {
		t.Fatal(err)
	}
	w, err := filter.Subsumes(filter.Stack{first}, filter.Stack{second})
	if err != nil {
		t.Fatal(err)
	}
	return w
}
