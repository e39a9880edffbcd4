package main

import (
	"cmp"
	"fmt"
	"io"
	"os"

	"github.com/batten-runtime/batten/internal/kernel"
	"github.com/batten-runtime/batten/internal/lint"
	"github.com/batten-runtime/batten/internal/recording"
	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/profile/reader"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/syscalls"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/spf13/cobra"
)

// reading is how a subcommand reads profiles.
type reading struct {
	cmd          *cobra.Command
	capabilities []string
	engine       *engineFlag
	texts        map[string][]byte          // what was read, by name
	made         map[string]*recording.Made // of recordings, by name
	told         map[document.Finding]bool  // the warnings that were printed
}

// newReading gives a command the flag for the capabilities that profiles are resolved for.
func newReading(cmd *cobra.Command) *reading {
	r := &reading{cmd: cmd, told: make(map[document.Finding]bool), texts: make(map[string][]byte), made: make(map[string]*recording.Made)}
	r.engine = newEngineFlag(cmd, reader.AsWritten, "the profiles")
	cmd.Flags().StringArrayVar(&r.capabilities, "capability", nil, "`name` of a capability that profiles are resolved for; may be repeated")
	completeFlag(cmd, "capability", completeCapabilities)
	cmd.ValidArgsFunction = completeProfiles
	return r
}

// profile reads a profile: a file, - for standard input, or RuntimeDefault. Of a recording it
// returns the profile that is made of it.
func (r *reading) profile(name string) (*specs.LinuxSeccomp, error) {
	if name == policy.RuntimeDefault {
		s := profile.RuntimeDefault(r.capabilities)
		return &s, nil
	}
	data, err := r.file(name)
	if err != nil {
		return nil, hinted{err, "a profile is a file, - for standard input, or the word RuntimeDefault"}
	}
	r.texts[name] = data
	if recording.Is(data) {
		return r.recorded(name, data)
	}
	engine, err := r.engine.engine()
	if err != nil {
		return nil, err
	}
	p, findings := engine.For(name, data).Read(name, data)
	if err := lint.NotAProfile(data); p == nil && err != nil {
		return nil, hinted{fmt.Errorf("profile %q: %w", name, err), "docs/reference/profiles.md says what a profile may hold"}
	}
	if p == nil {
		return nil, hinted{findings.Err(), "docs/reference/profiles.md says what a profile may hold"}
	}
	r.tell(engine, findings)
	if base := p.Base(); base != "" {
		return nil, hinted{
			fmt.Errorf("profile %q: the Security Profiles Operator adds the rules of %s, so this file does not say what containers run under", name, base),
			"name the file that the operator wrote on the node, below /var/lib/kubelet/seccomp/operator",
		}
	}
	s := p.Resolve(profile.Target{Bounding: r.capabilities, KernelRelease: kernel.Release()})
	return &s, nil
}

// file reads a file, or standard input.
func (r *reading) file(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(r.cmd.InOrStdin(), recording.MaxSize+1))
	}
	return readBounded(name)
}

// readBounded reads a file, at most a little more than any that Batten takes.
func readBounded(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, recording.MaxSize+1))
}

// tell prints findings about a profile, each once, and who reads it unless that is
// Batten alone.
func (r *reading) tell(engine reader.Engine, findings document.Findings) {
	if engine != reader.AsWritten {
		findings = append(document.Findings{{Message: "note: profiles are read as by " + engine.String()}}, findings...)
	}
	for _, f := range findings {
		if r.told[f] {
			continue
		}
		r.told[f] = true
		if f.File == "" {
			fmt.Fprintln(r.cmd.ErrOrStderr(), f.Message)
			continue
		}
		fmt.Fprintln(r.cmd.ErrOrStderr(), f)
	}
}

// program is a profile and its filter.
func (r *reading) program(name string) (*specs.LinuxSeccomp, *filter.Program, error) {
	s, err := r.profile(name)
	if err != nil {
		return nil, nil, err
	}
	p, err := filter.InTime(s, func() (*filter.Program, error) { return filter.Compile(s) })
	if err != nil {
		return nil, nil, hinted{fmt.Errorf("profile %q: %w", name, err), "runc refuses such a profile, too"}
	}
	return s, p, nil
}

// read is the filter that a runtime makes of a profile.
func (r *reading) read(name string, by syscalls.Runtime) (filter.Stack, error) {
	s, err := r.profile(name)
	if err != nil {
		return nil, err
	}
	return compiled(name, s, "runc refuses such a profile, too", func() (*filter.Program, error) {
		return filter.CompileFor(s, by)
	})
}

// demanded is what a floor demands, names included that a runtime skips.
func (r *reading) demanded(name string, by syscalls.Runtime) (filter.Stack, error) {
	s, err := r.profile(name)
	if err == nil {
		err = cmp.Or(r.heldByAll(name, s), legible(name, s))
	}
	if err != nil {
		return nil, err
	}
	return compiled(name, s, "what a floor says must be compiled and numbered to be proved", func() (*filter.Program, error) {
		return filter.Demand(s, by)
	})
}

func compiled(name string, s *specs.LinuxSeccomp, hint string, compile func() (*filter.Program, error)) (filter.Stack, error) {
	p, err := filter.InTime(s, compile)
	if err != nil {
		return nil, hinted{fmt.Errorf("profile %q: %w", name, err), hint}
	}
	return filter.Stack{p}, nil
}

// heldByAll refuses a floor that some calls pass by bits that the kernel does not
// read: nothing can be nowhere looser than what its author means by it.
func (r *reading) heldByAll(name string, floor *specs.LinuxSeccomp) error {
	found, err := semantics.PassedByHighBits(floor)
	hint := "docs/reference/floor.md says what a floor can and cannot express"
	switch {
	case err != nil:
		return hinted{fmt.Errorf("floor %q: %w", name, err), hint}
	case len(found) == 0:
		return nil
	case name != "-" && lint.RepairsHighBits(name, r.texts[name]):
		hint = fmt.Sprintf("batten lint --fix %s writes that", name)
	}
	return hinted{fmt.Errorf("floor %q: syscalls[%d]: %v", name, found[0].Rule, found[0]), hint}
}

// legible refuses a floor that libseccomp may misread: what it makes of it proves nothing.
func legible(name string, floor *specs.LinuxSeccomp) error {
	if len(semantics.Misread(floor, native)) == 0 {
		return nil
	}
	return hinted{fmt.Errorf("floor %q: libseccomp may make a filter of it in which no rule matches, so nothing would be proved", name), fmt.Sprintf("batten floor %s %[1]s makes rules of it that can be proved", name)}
}
