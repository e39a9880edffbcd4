package policy

import (
	"slices"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
)

// Type is what a policy file may hold: its keys with their values and meaning. The
// parser reads by it, and deploy/schema makes the JSON Schema of it.
var Type = &document.Type{Kind: document.Mapping, Keys: slices.Concat(
	[]document.Key{versionKey},
	answerKeys,
	[]document.Key{
		mandatoryKey,
		{Name: exceptKey.Name, Refused: "leaves containers out of the floors of a drop-in; in a policy write floor in place of mandatoryFloors, and a rule that lifts it"},
		{Name: "runtimeDefault", Doc: "What RuntimeDefault means here: builtin is containerd's own default profile.", Type: profileOr(builtinProfile)},
		{
			Name: "architectures", Doc: "Which ABIs stay in profiles that Batten supplies: those that this kernel runs, the machine's own, or all that are written.",
			Type: words(string(profile.Auto), string(profile.Native), string(profile.AsWritten)),
		},
		{Name: "restore", Doc: "Whether a container may be restored from a checkpoint, which brings a filter that the policy cannot see.", Type: words(Deny, allow)},
		{Name: "log", Doc: "An absolute path of a file to which each decision is appended as a line of JSON.", Type: absolute},
		profilesKey,
		{Name: "rules", Doc: "Rules, asked in order; the first that matches decides.", Type: list(ruleType, false)},
	},
)}

// DropInType is what a drop-in may hold, which can only tighten.
var DropInType = &document.Type{Kind: document.Mapping, Keys: slices.Concat(
	[]document.Key{versionKey, demanding(mandatoryKey), exceptKey, profilesKey},
	refusedIn(Type.Keys, versionKey.Name, mandatoryKey.Name, exceptKey.Name, profilesKey.Name),
)}

// demanding returns a key that must be there.
func demanding(k document.Key) document.Key {
	k.Missing = "mandatoryFloors is missing; a drop-in without it does nothing"
	return k
}

// refusedIn returns keys of a policy that a drop-in may not have.
func refusedIn(keys []document.Key, but ...string) (out []document.Key) {
	for _, k := range keys {
		if !slices.Contains(but, k.Name) {
			out = append(out, document.Key{Name: k.Name, Refused: "a drop-in can only tighten: it holds mandatoryFloors, except and profiles, and " + k.Name + " is the policy's"})
		}
	}
	return out
}

var (
	versionKey = document.Key{
		Name: "version", Doc: "The language of the file; always 1.",
		Type:    &document.Type{Kind: document.Integer, Min: 1, Max: 1},
		Missing: `version is missing; write "version: 1"`,
	}
	mandatoryKey = document.Key{
		Name: "mandatoryFloors", Doc: "Profiles that no container runs looser than, whatever it asks for and the rules say, in mode Audit too.",
		Type: floorList,
	}
	exceptKey = document.Key{
		Name: "except", Doc: "Containers that the file's mandatory floors leave out: those that one of these matches.",
		Type: list(exceptType, true),
	}
	profilesKey = document.Key{
		Name: "profiles", Doc: "Profiles by name.",
		Type: &document.Type{Kind: document.Mapping, Names: profileName, Items: profileType},
	}
)

// floorType is a floor, or several that hold together.
var floorType = func() *document.Type {
	t := profileOr(None, RuntimeDefault)
	t.OrList = floorList
	return t
}()

// floorList are floors that hold together.
var floorList = &document.Type{Kind: document.List, Items: profileOr(RuntimeDefault), NotEmpty: true, Unique: true}

// allow is restore's other word.
const allow = "Allow"

// answerKeys are the keys of a policy and of a rule.
var answerKeys = []document.Key{
	{Name: "absent", Doc: "What happens to a container that brings no filter.", Type: profileOr(RuntimeDefault, Unconfined, Deny)},
	{Name: "present", Doc: "What happens to a container that brings a filter; a profile replaces it.", Type: profileOr(Keep, RuntimeDefault, Deny)},
	{Name: "floor", Doc: "What the outcome is never looser than; of a list, each.", Type: floorType},
	{Name: "hooks", Doc: "What happens to a container that brings hooks.", Type: words(Keep, Record, Deny)},
	{Name: "mode", Doc: "Enforce carries decisions out; Audit records and logs them and denies nothing.", Type: words(string(Enforce), string(Audit))},
	{Name: "denials", Doc: "Count has Batten see and count the calls that the filter denies; Silent does not. Without the key, Audit counts what enforcement would deny, and Enforce is silent.", Type: words(string(Silent), string(Count))},
}

// profileType is a profile of a policy.
var profileType = &document.Type{Kind: document.Mapping, OneOf: []string{"file", "inline", "from"}, Keys: []document.Key{
	{Name: "file", Doc: "The path of a profile in JSON, relative to the directory of the policy's file.", Type: text},
	{Name: "inline", Doc: "The profile itself.", Type: profile.Type},
	{Name: "from", Doc: "The profile that allow and deny change: another profile here, RuntimeDefault, builtin for containerd's own default, or Unconfined.", Type: fromType},
	{Name: "allow", Doc: "Calls that are allowed beside those of from.", Type: list(allowType, true), With: "from"},
	{Name: "deny", Doc: "Calls that are denied, whatever from and allow say.", Type: list(denyType, true), With: "from"},
}}

var ruleType = &document.Type{Kind: document.Mapping, Keys: append([]document.Key{
	{
		Name: "name", Doc: "The rule's name, by which records and errors call it; no other rule has it.", Type: text,
		Missing: "has no name; records and errors call a rule by its name",
	},
	{
		Name: "match", Doc: "Which containers the rule is for: all fields must match; {} matches every container.", Type: matchType,
		Missing: `has no match; write "match: {}" for a rule that is for every container`,
	},
}, answerKeys...)}

var matchType = &document.Type{Kind: document.Mapping, Keys: []document.Key{
	{Name: "containerdNamespace", Doc: "containerd's namespace: k8s.io for Kubernetes, moby for Docker.", Type: patterns},
	{Name: "pod", Doc: "The pod, as CRI tells.", Type: podType},
	{Name: "container", Doc: "The container's name in its pod.", Type: patterns},
	{Name: "image", Doc: "The image as the pod names it.", Type: patterns},
	{Name: "kind", Doc: "Sandbox is the pause container of a pod; all others are Container.", Type: list(words(Sandbox, Container), true)},
	{Name: "runtime", Doc: "What runs Batten: the shim's runtime type or batten-runc.", Type: patterns},
	{Name: "capabilities", Doc: "Capabilities that must all be in the bounding set.", Type: list(words(profile.Capabilities...), true)},
	{Name: "mounts", Doc: "Absolute paths of the node that the container's mounts show.", Type: list(absolute, true)},
	{Name: "namespaces", Doc: "Namespaces of the node that the container shares.", Type: list(words(HostNamespaces...), true)},
	{
		Name: "annotations", Doc: "Annotations that must all be there; they are the word of the pod's author.",
		Type: &document.Type{
			Kind: document.Mapping, Items: patterns,
			Names: &document.Type{Kind: document.String, NotPattern: `^io\.kubernetes\.cri\.`},
		},
	},
	{
		Name:    "namespace",
		Refused: "write pod: {namespace: [...]} for the namespace of a pod, and namespaces: [...] for what the container shares with the node",
	},
}}

var podType = &document.Type{Kind: document.Mapping, Keys: []document.Key{
	{Name: "namespace", Doc: "The pod's namespace.", Type: patterns},
	{Name: "name", Doc: "The pod's name.", Type: patterns},
}}

var (
	text     = &document.Type{Kind: document.String}
	absolute = &document.Type{Kind: document.String, Pattern: `^/`}
	patterns = list(text, true)

	// profileName is a lower-case DNS label (RFC 1123), as isLabel has it.
	profileName = &document.Type{Kind: document.String, Pattern: labelPattern, NotPattern: "^" + builtinProfile + "$"}
)

const labelPattern = `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`

func words(allowed ...string) *document.Type {
	return &document.Type{Kind: document.String, Words: allowed}
}

// profileOr returns one of words or the name of a profile.
func profileOr(words ...string) *document.Type {
	return &document.Type{Kind: document.String, Words: words, Pattern: profileName.Pattern, NotPattern: profileName.NotPattern}
}

func list(of *document.Type, notEmpty bool) *document.Type {
	return &document.Type{Kind: document.List, Items: of, NotEmpty: notEmpty}
}
