package syscalls

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Runtime says which names of system calls an OCI runtime knows. runc and crun skip each
// rule on a name that their libseccomp does not know, whatever its action. The zero value
// means that the runtime is unknown.
type Runtime struct {
	// Path is the runtime's file.
	Path string `json:"path"`
	// Release is the program and version that the runtime reports, such as
	// "runc 1.5.2". It is "unknown" if the runtime does not report it, and empty if it
	// was not asked.
	Release string `json:"release,omitempty"`
	// Libseccomp is the version of its libseccomp, such as 2.5.4; empty where
	// that is unknown.
	Libseccomp string `json:"libseccomp,omitempty"`
	// Lacks are the names of Batten's table that the runtime skips, sorted.
	Lacks []string `json:"lacks,omitempty"`
	// Others are the names that it knows and Batten's table does not, sorted.
	Others []string `json:"others,omitempty"`
}

// IsCrun reports whether the runtime is crun. It has one thread, needs fewer calls than
// runc once the filter is in place, and takes flags that its libseccomp does not know.
func (r Runtime) IsCrun() bool {
	return strings.HasPrefix(r.Release, "crun ") ||
		!strings.HasPrefix(r.Release, "runc ") && strings.HasPrefix(filepath.Base(r.Path), "crun")
}

// IsRunc reports whether the runtime is known to be runc of a version or later.
func (r Runtime) IsRunc(since string) bool {
	version, runc := strings.CutPrefix(r.Release, "runc ")
	return runc && compareVersions(version, since) >= 0
}

// IsCrunSince reports whether the runtime is known to be crun of a version or later.
func (r Runtime) IsCrunSince(since string) bool {
	version, crun := strings.CutPrefix(r.Release, "crun ")
	return crun && compareVersions(version, since) >= 0
}

// libseccompRelease is a release of libseccomp, and the names that it was the
// first to know on all architectures that have the call.
type libseccompRelease struct{ Version, names string }

// KnownSince maps each name to the release of libseccomp that first knew it, as an index of
// LibseccompReleases.
var KnownSince = sync.OnceValue(func() map[string]int {
	out := make(map[string]int, len(Table))
	for i, r := range LibseccompReleases {
		for name := range strings.FieldsSeq(r.names) {
			out[name] = i
		}
	}
	return out
})

// LibseccompFor returns the first release of libseccomp that knows name; it is empty if no
// release is known to.
func LibseccompFor(name string) string {
	if i, ok := KnownSince()[name]; ok {
		return LibseccompReleases[i].Version
	}
	return ""
}

// RuntimeOfNames returns the runtime at path whose libseccomp knows names and no
// others.
func RuntimeOfNames(path, libseccomp string, names []string) Runtime {
	r := Runtime{Path: path, Libseccomp: libseccomp}
	known := make(map[string]bool, len(names))
	for _, name := range names {
		known[name] = true
		if _, ours := Arches(name); !ours {
			r.Others = append(r.Others, name)
		}
	}
	for _, e := range Table {
		if !known[e.Name] {
			r.Lacks = append(r.Lacks, e.Name)
		}
	}
	slices.Sort(r.Others)
	r.Others = slices.Compact(r.Others)
	return r
}

// RuntimeOfVersion returns a runtime at path for which only the version of its libseccomp is
// known. An empty version, or one that cannot be read, counts as the oldest of the table: so
// nothing counts as denied that may not be.
func RuntimeOfVersion(path, libseccomp string) Runtime {
	at, exact := slices.BinarySearchFunc(LibseccompReleases[:], libseccomp, func(r libseccompRelease, v string) int {
		return compareVersions(r.Version, v)
	})
	if !exact {
		at = max(at-1, 0) // the newest that is not newer
	}
	var names []string
	for name, since := range KnownSince() {
		if since <= at {
			names = append(names, name)
		}
	}
	return RuntimeOfNames(path, libseccomp, names)
}

// Older reports whether the runtime's libseccomp is known to be older than a version.
func (r Runtime) Older(version string) bool {
	return r.Libseccomp != "" && compareVersions(r.Libseccomp, version) < 0
}

// compareVersions compares the three numbers that begin two versions.
func compareVersions(a, b string) int {
	parse := func(s string) (v [3]int) {
		_, _ = fmt.Sscanf(s, "%d.%d.%d", &v[0], &v[1], &v[2])
		return v
	}
	va, vb := parse(a), parse(b)
	return slices.Compare(va[:], vb[:])
}

// Judged reports whether the runtime is known.
func (r Runtime) Judged() bool { return r.Path != "" }

// Knows reports whether the runtime acts on rules that name the call. If the runtime is
// unknown, it knows the names that Batten knows.
func (r Runtime) Knows(name string) bool {
	if _, ours := Arches(name); !ours {
		_, other := slices.BinarySearch(r.Others, name)
		return other
	}
	_, lacks := slices.BinarySearch(r.Lacks, name)
	return !lacks
}

// String names the runtime and its libseccomp.
func (r Runtime) String() string {
	switch {
	case !r.Judged():
		return "no runtime"
	case r.Libseccomp == "":
		return r.Path + " with a libseccomp of unknown version"
	}
	return r.Path + " with libseccomp " + r.Libseccomp
}
