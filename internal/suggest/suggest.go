package suggest

import (
	"cmp"
	"fmt"
	"maps"
	"runtime"
	"slices"

	"github.com/batten-runtime/batten/internal/denials"
	"github.com/batten-runtime/batten/internal/denials/overview"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Question is what there is to suggest for.
type Question struct {
	// Base is the profile whose denials they are.
	Base specs.LinuxSeccomp
	// Mandatory is the profile of the mandatory floors, which no rule lifts; nil for none.
	// MandatoryName names them.
	Mandatory     *specs.LinuxSeccomp
	MandatoryName string
	// Bounding is the container's bounding set.
	Bounding []string
	Denials  []denials.Denial
	// Dangerous is set if calls that are dangerous to open are to be opened, too.
	Dangerous bool
}

// Call is a call that was denied, of which other calls differ only in what the profile does not
// look at.
type Call struct {
	Name string `json:"name"`
	// Args are the arguments that the profile looks at, by index.
	Args map[uint]uint64 `json:"args,omitempty"`
	// Text is the first one in words: unshare(CLONE_NEWUSER). Further are the others that were
	// seen and read otherwise.
	Text    string   `json:"text"`
	Further []string `json:"further,omitempty"`
	// Arch, Action and Errno are those of the first kind.
	Arch   specs.Arch               `json:"arch"`
	Action specs.LinuxSeccompAction `json:"action"`
	Errno  uint16                   `json:"errno,omitempty"`
	Count  uint64                   `json:"count"`
	// Programs are the commands that were seen to make it.
	Programs []string `json:"programs"`
	// Danger says why it is dangerous to open.
	Danger *Danger `json:"danger,omitempty"`
	// Capabilities are those with any one of which RuntimeDefault allows it.
	Capabilities []string `json:"capabilities,omitempty"`
	// Also says what else opens with it.
	Also string `json:"also,omitempty"`
	// Why says why the call is not opened; empty if it is.
	Why string `json:"why,omitempty"`

	sample [6]uint64
	arches []specs.Arch // of all kinds
}

// Answer is what there is to suggest.
type Answer struct {
	// Open are the calls that the profile of the answer allows and Base does not.
	Open []Call `json:"open"`
	// Dangerous are calls that would be opened if they were not dangerous.
	Dangerous []Call `json:"dangerous"`
	// Leave are calls that programs survive, Closed those that no line can open alone.
	Leave  []Call `json:"leave"`
	Closed []Call `json:"closed"`
	// Rules are the lines that open the calls of Open. Profile is Base with them; nil if
	// Open is empty.
	Rules   []specs.LinuxSyscall `json:"rules"`
	Profile *specs.LinuxSeccomp  `json:"profile,omitempty"`

	// kept is how many rules of Profile are those of Base.
	kept int
}

// For returns what to suggest. The profile of the answer is proved to allow each call of Open
// and no other call that Base does not.
func For(q Question) (*Answer, error) {
	native := syscalls.Native[runtime.GOARCH]
	calls := callsOf(q, native)
	base, err := semantics.Understand(semantics.NewWork(), &q.Base, native)
	if err != nil {
		return nil, err
	}
	demanded, err := demandedOf(q.Mandatory, native)
	if err != nil {
		return nil, err
	}
	without, with, err := openers(q.Bounding, native)
	if err != nil {
		return nil, err
	}
	out := &Answer{Open: []Call{}, Dangerous: []Call{}, Leave: []Call{}, Closed: []Call{}, Rules: []specs.LinuxSyscall{}}
	for _, c := range calls {
		if c.Why == "" {
			if f, _ := base.On(c.Arch, c.Name); !f.At(c.sample).Denies() {
				c.Why = "the profile allows it now"
			} else if demanded != nil {
				if f, _ := demanded.On(c.Arch, c.Name); f.At(c.sample).Denies() {
					c.Why = "the node demands " + q.MandatoryName + " of every container, and no rule lifts that"
				}
			}
			c.Danger = dangerOf(&c)
			c.Capabilities = capabilitiesFor(&c, without, with)
		}
		switch why := probeOf(&q.Base, &c); {
		case c.Why != "":
			out.Closed = append(out.Closed, c)
		case why != "" && (!q.Dangerous || c.Danger == nil || survived[c.Name] == ""):
			c.Why = why
			out.Leave = append(out.Leave, c)
		case c.Danger != nil && !q.Dangerous:
			out.Dangerous = append(out.Dangerous, c)
		default:
			out.Open = append(out.Open, c)
		}
	}
	return out, out.open(&q.Base, native)
}

// demandedOf returns what the mandatory floors mean; nil without one.
func demandedOf(mandatory *specs.LinuxSeccomp, native specs.Arch) (*semantics.Meaning, error) {
	if mandatory == nil {
		return nil, nil
	}
	return semantics.Understand(semantics.NewWork(), mandatory, native)
}

// open makes the profile that opens the calls of Open. Those that it cannot open alone move to
// Closed.
func (a *Answer) open(base *specs.LinuxSeccomp, native specs.Arch) error {
	if len(a.Open) == 0 {
		return nil
	}
	whole, err := opened(base, a.Open, native)
	if err != nil { // which is it?
		var open []Call
		for _, c := range a.Open {
			if _, err := opened(base, []Call{c}, native); err != nil {
				c.Why = err.Error()
				a.Closed = append(a.Closed, c)
				continue
			}
			open = append(open, c)
		}
		if a.Open = open; len(open) == 0 {
			a.Open = []Call{}
			return nil
		}
		if whole, err = opened(base, a.Open, native); err != nil {
			return err
		}
	}
	p := &proof{base: base, next: whole, native: native}
	for i := range a.Open {
		if a.Open[i].Also, err = p.also(a.Open[i].Name); err != nil {
			return err
		}
	}
	a.Profile = whole
	if !semantics.Permits(base.DefaultAction) {
		a.Rules = rulesFor(a.Open)
	}
	a.kept = slices.IndexFunc(whole.Syscalls, func(r specs.LinuxSyscall) bool {
		return len(a.Rules) > 0 && slices.Equal(r.Names, a.Rules[0].Names) && slices.Equal(r.Args, a.Rules[0].Args) && r.Action == specs.ActAllow
	})
	if a.kept < 0 {
		a.kept = len(whole.Syscalls)
	}
	return nil
}

// callsOf joins kinds of denials that one line of a profile opens.
func callsOf(q Question, native specs.Arch) []Call {
	all, arches := q.Denials, append([]specs.Arch{native}, q.Base.Architectures...)
	byLine := make(map[string]*Call)
	whole := make(map[string]bool) // names of which a kind was denied whatever the arguments
	for _, d := range all {
		if len(d.Args) == 0 {
			whole[d.Syscall] = true
		}
	}
	var order []string
	for _, d := range all {
		args := d.Args
		if whole[d.Syscall] {
			args = nil
		}
		line := lineKey(d.Syscall, args) + refused(d.Kind, arches)
		c := byLine[line]
		if c == nil {
			order = append(order, line)
			c = &Call{
				Name: d.Syscall, Args: args, Text: overview.Call(&d, native), Arch: d.Arch,
				Action: d.Action, Errno: d.Errno, Why: refused(d.Kind, arches), sample: d.Sample.Args,
			}
			for i, v := range args {
				c.sample[min(i, 5)] = v
			}
			byLine[line] = c
		}
		if text := overview.Call(&d, native); text != c.Text && !slices.Contains(c.Further, text) {
			c.Further = append(c.Further, text)
		}
		c.arches = append(c.arches, d.Arch)
		c.Count += d.Count
		if comm := d.Sample.Comm; comm != "" && !slices.Contains(c.Programs, comm) {
			c.Programs = append(c.Programs, comm)
		}
	}
	var out []Call
	for _, line := range order {
		out = append(out, *byLine[line])
	}
	slices.SortStableFunc(out, func(a, b Call) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// lineKey is a call without what a profile does not look at.
func lineKey(name string, args map[uint]uint64) string {
	text := name
	for _, i := range slices.Sorted(maps.Keys(args)) {
		text += fmt.Sprintf(" %d=%#x", i, args[i])
	}
	return text
}

// refused says why no line of a profile opens calls of a kind; it is empty if one may.
func refused(k denials.Kind, arches []specs.Arch) string {
	switch _, known := syscalls.SetOf[k.Arch]; {
	case !known:
		return "it is by an architecture that Batten does not know"
	case !syscalls.IsSyscall(k.Syscall):
		return "it has no name, and profiles are by name"
	case !slices.Contains(arches, k.Arch):
		return "the profile does not list the architecture " + string(k.Arch)
	case semantics.IsMultiplexer(k.Syscall):
		return "libseccomp makes rules on it by itself, from those on the calls behind it"
	}
	return ""
}
