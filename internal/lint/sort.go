package lint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
	"go.yaml.in/yaml/v3"
)

// Sort is what a file is.
type Sort string

// The sorts of files that there are words for. Unreadable is what is no mapping, or
// neither YAML nor JSON; Neither is a mapping that is none of the others.
const (
	Unreadable Sort = ""
	Profile    Sort = "a seccomp profile"
	Policy     Sort = "a node policy, which batten check judges"
	Spec       Sort = "a bundle's config.json, for which batten explain answers"
	Compose    Sort = "a Compose file, whose profiles are files of their own"
	Schema     Sort = "a JSON schema"
	Recording  Sort = "a recording, of which batten record and batten merge make a profile"
	Neither    Sort = "no Kubernetes object and no seccomp profile"
	Empty      Sort = "empty"
)

// SortOf returns what a file is by the keys of its first document. One with a key of
// profiles, misspelt too, is meant as a profile.
func SortOf(data []byte) Sort {
	keys, values, sort := topLevel(data)
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(keys, n) })
	}
	switch {
	case sort != Neither:
		return sort
	case values["kind"] == "SeccompProfile":
		return Profile
	case has("battenRecording"):
		return Recording
	case has("kind") && has("apiVersion"):
		return Sort("a Kubernetes object of kind " + values["kind"])
	case has("kind") && has("metadata", "spec", "items"):
		return Sort("a Kubernetes object of kind " + values["kind"] + " without apiVersion")
	case has("version") && (len(keys) == 1 || has(onlyPolicies()...)):
		return Policy
	case has("ociVersion", "linux"):
		return Spec
	case has("services"):
		return Compose
	case has("$schema", "$defs"):
		return Schema
	case len(keys) == 0 || slices.ContainsFunc(keys, isProfileKey):
		return Profile
	case has("absent", "present", "rules"):
		return Policy
	}
	return Neither
}

// topLevel returns the keys of a file's first document that has any, with their texts; the
// sort says why there are none, and is Neither where there are.
func topLevel(data []byte) (keys []string, values map[string]string, sort Sort) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		switch err := decoder.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return nil, nil, Empty
		case err != nil:
			return nil, nil, Unreadable
		}
		n := doc.Content[0]
		switch {
		case n.Tag == "!!null":
			continue
		case n.Kind != yaml.MappingNode:
			return nil, nil, Unreadable
		}
		values = make(map[string]string)
		for i := 0; i+1 < len(n.Content); i += 2 {
			keys = append(keys, n.Content[i].Value)
			values[n.Content[i].Value] = n.Content[i+1].Value
		}
		return keys, values, Neither
	}
}

// onlyPolicies returns the keys that policies have and profiles have not.
func onlyPolicies() []string {
	return slices.DeleteFunc(names(policy.Type), func(k string) bool {
		return k == "version" || slices.Contains(names(profile.Type), k)
	})
}

// isProfileKey reports whether a key is one of profiles, in any case, or nearly.
func isProfileKey(key string) bool {
	known := names(profile.Type)
	return slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, key) }) || document.Suggest(key, known) != ""
}

func names(t *document.Type) (out []string) {
	for _, k := range t.Keys {
		out = append(out, k.Name)
	}
	return out
}

// NotAProfile returns an error where a file that cannot be read as a profile is something
// else, so that what is wrong with it as a profile is beside the point.
func NotAProfile(data []byte) error {
	switch sort := SortOf(data); sort {
	case Profile, Unreadable:
		return nil
	case Empty:
		return errors.New(`the file is empty; an empty profile is not "Unconfined", write the whole profile`)
	case Neither:
		return errors.New("the file is " + string(sort))
	default:
		return fmt.Errorf("the file is %s, and no seccomp profile", sort)
	}
}
