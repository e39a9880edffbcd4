package lint

import (
	"maps"

	"github.com/batten-runtime/batten/internal/manifest"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"github.com/batten-runtime/batten/policy/profile/reader"
)

// ownIDs are those of findings that need the compiler, or come before any.
var ownIDs = map[string]string{
	"not-a-profile":   "a file that is no profile that Batten or a runtime would read",
	"not-rendered":    "a template that was not rendered, so that nothing in it was looked at",
	"filters-nothing": "a profile that allows every call",
	"not-compiled":    "a profile that libseccomp does not compile",
	"too-long":        "a profile with more instructions than the kernel takes",
}

// IDs returns the ID of each finding that there can be, with what it means.
func IDs() map[string]string {
	all := maps.Clone(ownIDs)
	maps.Copy(all, manifest.IDs)
	maps.Copy(all, profile.IDs)
	maps.Copy(all, reader.IDs)
	return all
}

// ID returns a finding's ID; what makes a profile unreadable has none of its own.
func ID(f document.Finding) string {
	if f.ID == "" {
		return "not-a-profile"
	}
	return f.ID
}
