package explain

import (
	"path/filepath"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/shim/enforce"
	"github.com/batten-runtime/batten/spec"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Bundle is what the path of a bundle and its record tell besides its config.json.
type Bundle struct {
	// Known is set where an engine's directory or a record says what follows.
	Known bool
	// ContainerdNamespace and Runtime are as rules call them.
	ContainerdNamespace, Runtime string
	// Engine is names.CRIO where the record says so.
	Engine string
	// Record is Batten's; nil where it has none, or may not be read.
	Record *record.Record
}

const (
	// byNamespace is the name of containerd's directory of bundles, by namespace and id
	// (containerd's core/runtime/v2).
	byNamespace = "io.containerd.runtime.v2.task"
	// userdata is the name of a bundle of Podman's and CRI-O's, in a directory with the
	// id, below one that is named after the storage driver.
	userdata = "userdata"
)

// LookAt returns what is known of a bundle. Records is the directory of the records.
func LookAt(bundle, records string) (b Bundle) {
	bundle = filepath.Clean(bundle)
	above := filepath.Dir(bundle)
	id := filepath.Base(bundle)
	switch driver := filepath.Base(filepath.Dir(above)); {
	case driver == byNamespace:
		b.Known, b.ContainerdNamespace, b.Runtime = true, filepath.Base(above), names.RuntimeType
	case id == userdata && strings.HasSuffix(driver, "-containers"):
		b.Known, b.Runtime, id = true, names.Wrapper, filepath.Base(above)
	}
	owners, _ := filepath.Glob(filepath.Join(records, "*", id+".json"))
	for _, path := range owners {
		rec, err := record.Store{Dir: records}.Read(filepath.Base(filepath.Dir(path)), id)
		if err == nil && rec.Bundle == bundle {
			b = Bundle{Known: true, ContainerdNamespace: rec.ContainerdNamespace, Engine: rec.Engine, Runtime: rec.Runtime, Record: rec}
		}
	}
	return b
}

// Asked returns the filter that the container of a spec asked for. Filtered reports whether
// it asked for one: where Batten has put another in its place, which that was is unknown.
// Note says so where it is unknown whether it asked for any.
func (b Bundle) Asked(s *spec.Spec) (asked *specs.LinuxSeccomp, filtered bool, note string, err error) {
	there, err := enforce.Brought(s)
	if err != nil || there == nil {
		return nil, false, "", err
	}
	rec := b.Record
	switch {
	case rec != nil && enforce.Digest(s.Seccomp) == rec.Result && rec.Asked == record.None:
		return nil, false, "", nil
	case rec != nil && enforce.Digest(s.Seccomp) == rec.Result && !rec.Kept:
		return nil, true, "", nil
	case rec == nil && sealed(s):
		return there, true, "Batten has written the filter of this config.json, and its record cannot be read here: what the container asked for is unknown", nil
	}
	return there, true, "", nil
}

// sealed reports whether Batten has written the filter of a spec.
func sealed(s *spec.Spec) bool {
	there, err := profile.Decode(s.Seccomp)
	return err == nil && there != nil && len(profile.Unseal(*there).Syscalls) != len(there.Syscalls)
}
