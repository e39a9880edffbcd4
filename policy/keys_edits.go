package policy

import (
	"slices"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/profile"
)

// fromType is what a profile may be made from.
var fromType = profileOr(RuntimeDefault, builtinProfile, Unconfined)

// Keys of allow and deny.
var (
	namesKey = document.Key{Name: "names", Doc: "The system calls.", Type: list(text, true), Missing: "has no names"}
	argsKey  = document.Key{Name: "args", Doc: "Conditions on the arguments, which must all hold; without them the whole call is meant.", Type: list(editArgType, true)}

	allowType = &document.Type{Kind: document.Mapping, Keys: []document.Key{namesKey, argsKey}}
	denyType  = &document.Type{Kind: document.Mapping, Keys: []document.Key{
		namesKey, argsKey,
		{Name: "errno", Doc: "What the calls fail with, by its name; EPERM where it is left out.", Type: words(profile.ErrnoNames()...)},
	}}
)

// editArgType is a condition on an argument.
var editArgType = &document.Type{Kind: document.Mapping, Keys: []document.Key{
	{Name: "index", Doc: "Which argument, counted from 0.", Type: &document.Type{Kind: document.Integer, Max: 5}, Missing: "has no index"},
	{Name: "op", Doc: "How the argument is compared.", Type: words(profile.Operators()...), Missing: "has no op"},
	{Name: "value", Doc: "The value to compare with; for SCMP_CMP_MASKED_EQ the mask. A number, or words of the call's manual page joined by |, such as AF_ALG.", Type: wordOrNumber, Missing: "has no value"},
	{Name: "valueTwo", Doc: "For SCMP_CMP_MASKED_EQ the value of the bits in the mask.", Type: wordOrNumber},
	{Name: "width", Doc: "32 compares the low 32 bits, as the kernel reads an int; without the key all 64 bits are compared.", Type: &document.Type{Kind: document.Integer, Min: lowBits, Max: lowBits}},
}}

var wordOrNumber = &document.Type{Kind: document.Integer, Max: 1<<64 - 1, OrText: true}

// lowBits is the one width that can be written.
const lowBits = 32

// isWord reports whether s is a word of from, and no profile's name.
func isWord(s string) bool { return slices.Contains(fromType.Words, s) }
