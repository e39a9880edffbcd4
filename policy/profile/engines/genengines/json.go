package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// docker lists Docker's releases since 20.10.
func docker() (all []engine, err error) {
	for _, m := range []struct{ name, module, file, since string }{
		{"Docker", "github.com/docker/docker", "profiles/seccomp/default.json", "v20."},
		{"Docker since 28.4 (moby/profiles)", "github.com/moby/profiles/seccomp", "default.json", "v0."},
	} {
		list, err := versions(m.module)
		if err != nil {
			return nil, err
		}
		for _, v := range list {
			if strings.HasPrefix(m.since, "v20") && (len(v) < 4 || v[:3] < "v20" || v[3] != '.' || strings.HasPrefix(v, "v17")) {
				continue
			}
			data, err := file(m.module, v, m.file)
			if errors.Is(err, fs.ErrNotExist) {
				break // since 28.4 it is in a module of its own
			}
			if err != nil {
				return nil, err
			}
			e, err := ofJSON(m.name, number(v), data)
			if err != nil {
				return nil, err
			}
			all = append(all, e)
		}
	}
	return all, nil
}

// jsonProfile is Docker's form of a profile (moby, profiles/seccomp), which Podman has, too.
type jsonProfile struct {
	DefaultAction   specs.LinuxSeccompAction `json:"defaultAction"`
	DefaultErrnoRet *uint                    `json:"defaultErrnoRet"`
	ArchMap         []struct {
		Arch specs.Arch   `json:"architecture"`
		Subs []specs.Arch `json:"subArchitectures"`
	} `json:"archMap"`
	Syscalls []jsonRule `json:"syscalls"`
}

type jsonRule struct {
	specs.LinuxSyscall
	Includes, Excludes conditions
}

type conditions struct{ Caps, Arches []string }

var native = map[string]specs.Arch{"amd64": specs.ArchX86_64, "arm64": specs.ArchAARCH64}

// ofJSON returns an engine whose profile is data. The kernel is newer than all that it asks for.
func ofJSON(name, version string, data []byte) (engine, error) {
	var p jsonProfile
	if err := json.Unmarshal(data, &p); err != nil {
		return engine{}, fmt.Errorf("%s %s: %w", name, version, err)
	}
	return engine{name: name, version: version, profile: p.of}, nil
}

// of returns the profile for a container on a machine.
func (p jsonProfile) of(arch string, bounding []string) (*specs.LinuxSeccomp, error) {
	s := &specs.LinuxSeccomp{DefaultAction: p.DefaultAction, DefaultErrnoRet: p.DefaultErrnoRet}
	for _, m := range p.ArchMap {
		if m.Arch == native[arch] {
			s.Architectures = append([]specs.Arch{m.Arch}, m.Subs...)
		}
	}
	has := func(c string) bool { return slices.Contains(bounding, c) }
	for _, r := range p.Syscalls {
		in, ex := r.Includes, r.Excludes
		switch {
		case len(in.Arches) > 0 && !slices.Contains(in.Arches, arch), slices.Contains(ex.Arches, arch):
		case slices.ContainsFunc(in.Caps, func(c string) bool { return !has(c) }), slices.ContainsFunc(ex.Caps, has):
		default:
			s.Syscalls = append(s.Syscalls, r.LinuxSyscall)
		}
	}
	return s, nil
}
