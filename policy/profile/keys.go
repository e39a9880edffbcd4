package profile

import (
	"slices"

	"github.com/batten-runtime/batten/policy/document"
	"github.com/batten-runtime/batten/policy/semantics"
	"github.com/batten-runtime/batten/policy/semantics/region"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Type is what a profile may hold: linux.seccomp of the runtime-spec and what Docker
// and containers/common add. The parser reads by it, and deploy/schema makes the JSON
// Schema of it.
var Type = &document.Type{Kind: document.Mapping, Keys: []document.Key{
	{
		Name: "defaultAction", Doc: "What happens to a call that no rule is for.", Type: word(actions),
		Missing: "defaultAction is missing: runc refuses such a profile, and installs no filter where there are no rules either",
	},
	{Name: "defaultErrnoRet", Doc: "The errno of defaultAction; EPERM where it is left out.", Type: orNull(errnoType)},
	{Name: "defaultErrno", Doc: "The same by its name (containers/common).", Type: word(errnoNames)},
	{Name: "architectures", Doc: "The ABIs that the filter is for.", Type: listOrNull(word(archNames))},
	{Name: "archMap", Doc: "The ABIs by machine (Docker); instead of architectures.", Type: listOrNull(archMapType)},
	{Name: "flags", Doc: "How the filter is loaded, see seccomp(2).", Type: listOrNull(word(flagNames))},
	{Name: "listenerPath", Doc: "The socket to which the runtime sends the file descriptor for SCMP_ACT_NOTIFY.", Type: text},
	{Name: "listenerMetadata", Doc: "What the runtime sends along to the socket.", Type: text},
	{Name: "syscalls", Doc: "The rules.", Type: listOrNull(ruleType)},
}}

var archMapType = &document.Type{Kind: document.Mapping, Keys: []document.Key{
	{Name: "architecture", Doc: "The machine's ABI.", Type: word(archNames), Missing: "has no architecture"},
	{Name: "subArchitectures", Doc: "Further ABIs that it runs.", Type: listOrNull(word(archNames))},
}}

var ruleType = &document.Type{Kind: document.Mapping, AtMostOneOf: []string{"name", "names"}, Keys: []document.Key{
	{Name: "name", Doc: "The system call; an older form of names.", Type: text},
	{Name: "names", Doc: "The system calls.", Type: listOrNull(text)},
	{Name: "action", Doc: "What happens to these calls.", Type: word(actions), Missing: "has no action"},
	{Name: "errnoRet", Doc: "The errno of the action; EPERM where it is left out.", Type: errnoType},
	{Name: "errno", Doc: "The same by its name (containers/common).", Type: word(errnoNames)},
	{Name: "args", Doc: "Conditions on the calls' arguments.", Type: listOrNull(argType)},
	{Name: "includes", Doc: "The rule counts only where this holds (Docker).", Type: conditionsType},
	{Name: "excludes", Doc: "The rule counts only where none of this holds (Docker).", Type: conditionsType},
	{Name: "comment", Doc: "A comment, which is ignored.", Type: &document.Type{}},
}}

var argType = &document.Type{Kind: document.Mapping, Keys: []document.Key{
	{Name: "index", Doc: "Which argument, counted from 0.", Type: &document.Type{Kind: document.Integer, Max: 5}},
	{Name: "value", Doc: "The value to compare with; for SCMP_CMP_MASKED_EQ the mask.", Type: number},
	{Name: "valueTwo", Doc: "For SCMP_CMP_MASKED_EQ the value of the bits in the mask.", Type: number},
	{Name: "op", Doc: "How the argument is compared.", Type: word(words(region.Operators...)), Missing: "has no op"},
}}

var conditionsType = &document.Type{Kind: document.Mapping, Null: true, Keys: []document.Key{
	{Name: "caps", Doc: "Capabilities of the container.", Type: listOrNull(text)},
	{Name: "arches", Doc: "Machines, by Go's names such as amd64.", Type: listOrNull(text)},
	{Name: "minKernel", Doc: "The oldest kernel, such as 4.8.", Type: &document.Type{Kind: document.String, Pattern: `^\d+\.\d+`}},
}}

var (
	text      = &document.Type{Kind: document.String}
	number    = &document.Type{Kind: document.Integer, Max: 1<<64 - 1}
	errnoType = &document.Type{Kind: document.Integer, Max: semantics.MaxErrno}

	errnoNames = func() (out []string) {
		for e := range unix.Errno(errnos) {
			if name := unix.ErrnoName(e); name != "" {
				out = append(out, name)
			}
		}
		return out
	}()
)

// ErrnoNames returns the names of errnos that a rule may have.
func ErrnoNames() []string { return slices.Clone(errnoNames) }

// Operators returns the words by which a condition compares.
func Operators() []string { return words(region.Operators...) }

// Errno returns the number of a name of [ErrnoNames], 0 for another.
func Errno(name string) (number uint) {
	for e := unix.Errno(1); e < errnos; e++ {
		if unix.ErrnoName(e) == name {
			return uint(e)
		}
	}
	return 0
}

// errnos is one more than the largest errno that has a name.
const errnos = 134

func word(allowed []string) *document.Type {
	return &document.Type{Kind: document.String, Words: allowed}
}

func orNull(t *document.Type) *document.Type {
	null := *t
	null.Null = true
	return &null
}

func listOrNull(of *document.Type) *document.Type {
	return &document.Type{Kind: document.List, Items: of, Null: true}
}

// Actions, operators, flags and architectures of runtime-spec's
// config-linux.md, section Seccomp.
var (
	actions = words(specs.ActKill, specs.ActKillProcess, specs.ActKillThread, specs.ActTrap,
		specs.ActErrno, specs.ActTrace, specs.ActAllow, specs.ActLog, specs.ActNotify)
	flagNames = words(specs.LinuxSeccompFlagLog, specs.LinuxSeccompFlagSpecAllow,
		specs.LinuxSeccompFlagWaitKillableRecv, specs.LinuxSeccompFlag("SECCOMP_FILTER_FLAG_TSYNC"))
	archNames = words(specs.ArchX86, specs.ArchX86_64, specs.ArchX32, specs.ArchARM, specs.ArchAARCH64,
		specs.ArchMIPS, specs.ArchMIPS64, specs.ArchMIPS64N32, specs.ArchMIPSEL, specs.ArchMIPSEL64,
		specs.ArchMIPSEL64N32, specs.ArchPPC, specs.ArchPPC64, specs.ArchPPC64LE, specs.ArchS390,
		specs.ArchS390X, specs.ArchPARISC, specs.ArchPARISC64, specs.ArchRISCV64,
		specs.ArchLOONGARCH64, specs.ArchM68K, specs.ArchSH, specs.ArchSHEB)
)
