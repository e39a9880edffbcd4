package block

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/floor"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Block is what a drop-in blocks.
type Block struct {
	// Name is the drop-in's, without its ending, and its profile's.
	Name  string
	Calls []Call
	// Errno is what blocked calls fail with; 0 leaves it to [Block.Profile].
	Errno unix.Errno
	// Except are the containers that may make the calls all the same.
	Except []policy.Match
	// Architectures are the ABIs of the machine; programs of others are killed.
	Architectures []specs.Arch
}

// New returns the block of some calls for this machine. Without a name it has one after the calls.
func New(name string, calls []Call, errno unix.Errno) (Block, error) {
	calls = slices.CompactFunc(slices.Clone(calls), func(a, b Call) bool { return a.Text == b.Text })
	b := Block{Name: name, Calls: calls, Errno: errno, Architectures: profile.RuntimeDefault(nil).Architectures}
	if name == "" {
		b.Name = nameOf(calls)
	}
	if !policy.IsProfileName(b.Name) {
		return b, fmt.Errorf("%q cannot be a block's name; use at most 63 lower-case letters, digits and -", b.Name)
	}
	return b, b.legible()
}

// maxName is how long a name after the calls becomes.
const maxName = 50

// nameOf names calls: block-socket-af-alg.
func nameOf(calls []Call) string {
	name, left := "block", 0
	for _, c := range calls {
		part := strings.FieldsFunc(strings.ToLower(c.Text), func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9')
		})
		if longer := name + "-" + strings.Join(part, "-"); len(longer) <= maxName {
			name = longer
		} else {
			left++
		}
	}
	if left > 0 {
		name += fmt.Sprintf("-and-%d-more", left)
	}
	return name
}

// Path returns the drop-in of a block in a directory of drop-ins.
func Path(dir, name string) string { return filepath.Join(dir, name+".yaml") }

// header begins the first line of each drop-in that batten block writes.
const header = "# batten block "

// Text returns the drop-in.
func (b Block) Text() ([]byte, error) {
	var asked []string
	for _, c := range b.Calls {
		asked = append(asked, "'"+c.Text+"'")
	}
	who, except := "No container of this node", ""
	for _, m := range b.Except {
		asked = append(asked, "--except '"+m.String()+"'")
		except += "- " + m.String() + "\n"
	}
	if except != "" {
		who, except = "Of this node only the containers below except", "except:\n"+except
	}
	s, err := json.Marshal(b.everywhere())
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `%s%s
# %s may make these calls. batten unblock %s removes this file.
version: 1
mandatoryFloors: [%q]
%sprofiles:
  %q:
    inline: %s
`, header, strings.Join(asked, " "), who, b.Name, b.Name, except, b.Name, s), nil
}

// portable is a profile with the ABIs of each kind of machine, as Docker's form has them.
type portable struct {
	ArchMap []machine `json:"archMap,omitempty"`
	specs.LinuxSeccomp
}

type machine struct {
	Architecture     specs.Arch   `json:"architecture"`
	SubArchitectures []specs.Arch `json:"subArchitectures"`
}

// everywhere returns the profile for machines of the other kind, too: a cluster may have both, and a
// ConfigMap brings the drop-in to all. As a mandatory floor it is read as it is written, whatever
// libseccomp would make of it.
func (b Block) everywhere() portable {
	out := portable{LinuxSeccomp: b.rules(true)}
	all := [][]specs.Arch{{specs.ArchX86_64, specs.ArchX86, specs.ArchX32}, {specs.ArchAARCH64, specs.ArchARM}}
	own := b.Profile().Architectures
	kind := slices.IndexFunc(all, func(kind []specs.Arch) bool { return slices.Index(own, kind[0]) == 0 })
	if kind < 0 {
		return out
	}
	all[kind], out.Architectures = own, nil
	for _, kind := range all {
		out.ArchMap = append(out.ArchMap, machine{kind[0], kind[1:]})
	}
	return out
}

// Asked returns what batten block was asked for where it has written a drop-in; ok is false for
// a drop-in of another hand.
func Asked(text []byte) (asked string, ok bool) {
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.CutPrefix(line, header)
}

// Takes says what a block takes from containers, in sentences: from those without a filter, and
// from those under RuntimeDefault.
func (b Block) Takes() (out []string, err error) {
	s := b.Profile()
	changes, err := semantics.Between(nil, &s, nil)
	if err != nil {
		return nil, err
	}
	out = append(out, "from a container without a filter: it would "+changes.String())
	standard := profile.RuntimeDefault(nil)
	met, _, err := floor.Floor(s, standard, floor.Limits{})
	if err != nil {
		return nil, fmt.Errorf("it cannot be put under RuntimeDefault: %w", err)
	}
	if met.Unchanged {
		out = append(out, "from one under RuntimeDefault without capabilities: nothing, it is closed there already")
	} else {
		if changes, err = semantics.Between(&standard, &met.Seccomp, nil); err != nil {
			return nil, err
		}
		out = append(out, "from one under RuntimeDefault without capabilities: it would "+changes.String())
	}
	for _, m := range b.Except {
		out = append(out, "nothing from containers that match "+m.String())
	}
	for _, c := range b.Calls {
		for _, flags := range c.Together {
			out = append(out, fmt.Sprintf("nothing from calls of %s that have one of %s alone: to block each, write a CALL for each", c.Names[0], flags))
		}
		if c.ByPointer() && slices.Contains(b.Architectures, specs.ArchX86) {
			out = append(out, fmt.Sprintf("from 32-bit programs that make %s through socketcall or ipc: each, whatever its arguments, which no filter sees there", c.Names[0]))
		}
	}
	return out, nil
}
