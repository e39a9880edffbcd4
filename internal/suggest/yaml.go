package suggest

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/batten-runtime/batten/internal/denials/overview"
	"github.com/batten-runtime/batten/policy/semantics"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Write writes suggestions as a policy that batten check accepts, with what there is to know as
// comments. If there is no profile to suggest, it writes comments alone.
func Write(out io.Writer, all []*Workload) error {
	y := new(writer)
	common := commonRemarks(all)
	for _, w := range all {
		y.remarks(w, common)
	}
	for _, r := range common {
		y.line("# ", "all: %s", r)
	}
	with := slices.DeleteFunc(slices.Clone(all), func(w *Workload) bool { return w.Profile == nil })
	if len(with) > 0 {
		y.line("", "version: 1")
		y.line("", "profiles:")
		for _, w := range with {
			y.profile(w)
		}
		rules := "rules:"
		if !slices.ContainsFunc(with, func(w *Workload) bool { return w.PodName != "" }) {
			rules = "# rules:"
		}
		y.line("", "%s", rules)
		for _, w := range with {
			y.rule(w)
		}
	}
	_, err := io.WriteString(out, y.text.String())
	return err
}

// writer writes lines of YAML.
type writer struct{ text strings.Builder }

// line writes a line. What processes and pods call themselves cannot end it.
func (y *writer) line(indent, format string, args ...any) {
	text := overview.Printable(fmt.Sprintf(format, args...))
	y.text.WriteString(strings.TrimRight(indent+text, " ") + "\n")
}

// commonRemarks returns the remarks that several workloads have alike.
func commonRemarks(all []*Workload) (out []string) {
	if len(all) < 2 {
		return nil
	}
	for _, r := range all[0].Remarks {
		if !slices.ContainsFunc(all, func(w *Workload) bool { return !slices.Contains(w.Remarks, r) }) {
			out = append(out, r)
		}
	}
	return out
}

// remarks writes what there is to say of a workload, but for what all have in common.
func (y *writer) remarks(w *Workload, common []string) {
	title := strings.TrimSpace(w.title + " (" + strings.Join(w.Containers, ", ") + ")")
	if w.Base != "" {
		title += ", under " + w.Base
	}
	y.line("# ", "%s", title)
	for _, part := range []struct {
		title string
		calls []Call
	}{
		{"opened:", w.Open},
		{"dangerous to open, so left out; --dangerous opens them:", w.Dangerous},
		{"leave it denied, programs survive that:", w.Leave},
		{"no line of the profile opens these:", w.Closed},
	} {
		if len(part.calls) > 0 {
			y.line("#   ", "%s", part.title)
		}
		for _, c := range part.calls {
			y.line("#     ", "%s", about(c, w.audited))
		}
	}
	if len(w.denials) == 0 && len(w.Remarks) == 0 {
		y.line("#   ", "nothing seen that is denied")
	}
	for _, r := range w.Remarks {
		if slices.Contains(common, r) {
			continue
		}
		y.line("#   ", "%s", r)
	}
}

// about returns what is known of a call, which ran where the policy only audits.
func about(c Call, audited bool) string {
	would := ""
	if audited {
		would = "would be "
	}
	text := fmt.Sprintf("%s: %s%s %s", strings.Join(append([]string{c.Text}, c.Further[:min(len(c.Further), 3)]...), ", "), would, answerOf(c), times(c.Count))
	if len(c.Programs) > 0 {
		text += ", by " + strings.Join(c.Programs, ", ")
	}
	if c.Danger != nil {
		text += fmt.Sprintf("; %s (%s)", c.Danger.Why, c.Danger.Source)
	}
	if len(c.Capabilities) > 0 {
		text += "; RuntimeDefault allows it with " + strings.Join(c.Capabilities, " or ")
	}
	if c.Also != "" {
		text += "; " + c.Also
	}
	if c.Why != "" {
		text += "; " + c.Why
	}
	return text
}

func answerOf(c Call) string {
	if c.Action != specs.ActErrno {
		return string(c.Action)
	}
	if name := unix.ErrnoName(unix.Errno(c.Errno)); name != "" {
		return name
	}
	return fmt.Sprintf("errno %d", c.Errno)
}

func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// profile writes the profile of a workload.
func (y *writer) profile(w *Workload) {
	p := w.Profile
	y.line("  ", "%s:", w.Name)
	y.line("    ", "inline:")
	y.line("      ", "defaultAction: %s", p.DefaultAction)
	if p.DefaultErrnoRet != nil {
		y.line("      ", "defaultErrnoRet: %d", *p.DefaultErrnoRet)
	}
	y.list("      ", "architectures", texts(p.Architectures))
	if p.Flags != nil {
		y.line("      ", "flags: [%s]", strings.Join(texts(p.Flags), ", "))
	}
	if p.ListenerPath != "" {
		y.line("      ", "listenerPath: %s", strconv.Quote(p.ListenerPath))
	}
	if p.ListenerMetadata != "" {
		y.line("      ", "listenerMetadata: %s", strconv.Quote(p.ListenerMetadata))
	}
	if len(p.Syscalls) > 0 {
		y.line("      ", "syscalls:")
	}
	for i, r := range p.Syscalls {
		if i == w.kept {
			y.line("      ", "# what was denied and is opened")
		}
		if i == w.kept+len(w.Rules) {
			y.line("      ", "# as without the lines above, which name newer calls")
		}
		y.syscalls("      ", r)
	}
	if len(w.Dangerous) > 0 && !semantics.Permits(p.DefaultAction) {
		y.line("      ", "# dangerous to open")
	}
	if !semantics.Permits(p.DefaultAction) {
		for _, r := range rulesFor(w.Dangerous) {
			y.syscalls("      # ", r)
		}
	}
}

// rule writes the rule that gives a workload its profile.
func (y *writer) rule(w *Workload) {
	comment := ""
	if w.PodName == "" {
		comment = "# "
		y.line("", "# No rule can tell this container from others of its engine. Give it the profile by")
		y.line("", "# its engine's option (--security-opt seccomp=FILE), or narrow this rule:")
	}
	y.line(comment, "- name: %s", w.Name)
	y.line(comment+"  ", "match:")
	if w.PodName == "" {
		if w.engine != "" {
			y.line(comment+"    ", "containerdNamespace: [%s]", strconv.Quote(w.engine))
		} else {
			y.line(comment+"    ", "runtime: [batten-runc]")
		}
	} else {
		y.line("    ", "pod: {namespace: [%s], name: [%s]}", strconv.Quote(w.PodNamespace), strconv.Quote(w.PodName))
		if w.Container != "" {
			y.line("    ", "container: [%s]", strconv.Quote(w.Container))
		} else {
			y.line("    ", "kind: [Sandbox]")
		}
	}
	for _, answer := range w.answers() {
		y.line(comment+"  ", "%s", answer)
	}
}
