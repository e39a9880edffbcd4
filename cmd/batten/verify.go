package main

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/filter"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/batten-runtime/batten/shim/ociruntime"
	"github.com/batten-runtime/batten/spec"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// verify proves of running containers that what the kernel holds is as strict
// as their records say and as the policy demands today.
func verify(i *invocation) error {
	dir := i.flags.String("dir", enforce.DefaultRecords, "`directory` of the records")
	draft := i.flags.Bool("draft", false, "the policy's owner and mode do not matter")
	if err := i.parse(math.MaxInt); err != nil {
		return err
	}
	list, err := enforce.Records{Dir: *dir}.List()
	if err != nil {
		return hinted{err, "records are root's: run batten as root"}
	}
	bad, seen := false, make(map[string]bool)
	for _, rec := range list {
		if i.flags.NArg() > 0 && !slices.Contains(i.flags.Args(), rec.ID) {
			continue
		}
		seen[rec.ID] = true
		verdict, good := verifyOne(rec, *draft)
		bad = bad || !good
		fmt.Fprintf(i.stdout, "%s: %s\n", containerName(rec), verdict)
	}
	for _, id := range i.flags.Args() {
		if !seen[id] {
			return hinted{fmt.Errorf("no record of %q", id), "batten records shows what runs"}
		}
	}
	if bad {
		return errNo
	}
	return nil
}

// verifyOne is what there is to say of one container.
func verifyOne(rec *enforce.Record, draft bool) (verdict string, good bool) {
	if rec.Pid == 0 {
		return "not running yet", true
	}
	live, err := filter.Live(rec.Pid)
	if err != nil {
		return err.Error(), false
	}
	s, err := spec.Load(rec.Bundle)
	if err != nil {
		return err.Error(), false
	}
	if rec.Result != enforce.None {
		if enforce.Digest(s.Seccomp) != rec.Result {
			return fmt.Sprintf("%s no longer holds the profile that the record tells of", filepath.Join(rec.Bundle, "config.json")), false
		}
		recorded, err := profile.Decode(s.Seccomp)
		if err != nil {
			return err.Error(), false
		}
		if w, err := looserThan(recorded, live); err != nil || w != nil {
			return refuted("its record", w, err), false
		}
	}
	demands, err := demanded(rec, s, draft)
	if err != nil {
		return err.Error(), false
	}
	for _, d := range demands {
		if w, err := looserThan(d, live); err != nil || w != nil {
			return refuted("today's policy", w, err), false
		}
	}
	return fmt.Sprintf("proved, %s as strict as its record and today's policy", plural(len(live), "filter")), true
}

func refuted(by string, w *filter.Witness, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("refuted: looser than %s demands: %s", by, w)
}

func looserThan(floor *specs.LinuxSeccomp, live filter.Stack) (*filter.Witness, error) {
	p, err := filter.Compile(floor)
	if err != nil {
		return nil, err
	}
	return filter.Subsumes(filter.Stack{p}, live)
}

// demanded are the profiles than which the policy, as it is now, lets the
// container be no looser.
func demanded(rec *enforce.Record, s *spec.Spec, draft bool) ([]*specs.LinuxSeccomp, error) {
	path := rec.Policy
	if path == policy.BuiltinPath {
		path = policy.DefaultPath
	}
	p, findings := loadPolicy(path, draft)
	if err := findings.Err(); err != nil {
		return nil, err
	}
	runtime := shimRuntime
	if rec.Call != nil {
		runtime = ociruntime.RuntimeName
	}
	d := p.Decide(policy.Request{
		ContainerdNamespace: rec.ContainerdNamespace, Runtime: runtime,
		Annotations: s.Annotations, Bounding: s.Bounding, Filtered: rec.Asked != enforce.None,
	})
	m := machine()
	var out []*specs.LinuxSeccomp
	switch {
	case d.Mode == policy.Audit:
		return nil, nil
	case d.Verdict == policy.Refuse:
		return nil, errors.New("refuted: today's policy would refuse it: " + d.Reason)
	case d.Verdict == policy.Replace:
		base, _, err := p.Seccomp(d, s.Bounding, m)
		if err != nil {
			return nil, err
		}
		out = append(out, &base)
	}
	if d.Floor != "" {
		floor, err := p.FloorSeccomp(d, s.Bounding, m)
		if err != nil {
			return nil, err
		}
		out = append(out, &floor)
	}
	return out, nil
}

// machine is this one. It starts a process to probe the kernel, so ask once.
func machine() policy.Machine {
	return policy.Machine{ABIs: profile.ProbeABIs(), KernelRelease: enforce.KernelRelease()}
}
