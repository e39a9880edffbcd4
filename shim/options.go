package shim

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/api/types/runtimeoptions/v1"
	"github.com/pelletier/go-toml/v2"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/batten-runtime/batten/policy"
)

// optionsTable is the options table of a runtime handler in containerd's
// config.toml, or a runtime's options in Docker's daemon.json: those of the
// runc shim, and Policy.
type optionsTable struct {
	// Policy names the node policy for this handler.
	Policy string `toml:"Policy"`

	BinaryName     string `toml:"BinaryName"`
	Root           string `toml:"Root"`
	SystemdCgroup  bool   `toml:"SystemdCgroup"`
	NoPivotRoot    bool   `toml:"NoPivotRoot"`
	NoNewKeyring   bool   `toml:"NoNewKeyring"`
	ShimCgroup     string `toml:"ShimCgroup"`
	IoUid          uint32 `toml:"IoUid"`
	IoGid          uint32 `toml:"IoGid"`
	CriuImagePath  string `toml:"CriuImagePath"`
	CriuWorkPath   string `toml:"CriuWorkPath"`
	TaskApiAddress string `toml:"TaskApiAddress"`
	TaskApiVersion uint32 `toml:"TaskApiVersion"`

	// CriuPath is in containerd 1.x's default configuration; runc since 1.2 and the shim
	// since 2.0 do not read it. TypeUrl and ConfigPath are containerd's; it writes them
	// into ConfigBody, too.
	CriuPath   string `toml:"CriuPath"`
	TypeUrl    string `toml:"TypeUrl"`
	ConfigPath string `toml:"ConfigPath"`
}

// maxOptions is the largest file of options that is read, in bytes.
const maxOptions = 1 << 20

// runtimeOptions are what a daemon asked of the runtime.
type runtimeOptions struct {
	runc   *options.Options
	policy string // empty: the default path
}

// parseOptions reads runtime options in each form that daemons send: none, containerd's typed
// runc options, and the generic form of CRI and Docker, which holds TOML or names a file of
// TOML. Anything else is an error. So is an option that is unknown or has the wrong type,
// because its effect would be lost.
func parseOptions(any *anypb.Any) (runtimeOptions, error) {
	out := runtimeOptions{runc: &options.Options{}}
	if len(any.GetValue()) == 0 {
		return out, nil
	}
	switch messageName(any) {
	case runcOptions:
		if err := proto.Unmarshal(any.Value, out.runc); err != nil {
			return out, fmt.Errorf("runtime options: %w", err)
		}
		return out, nil
	case genericOptions:
		var generic runtimeoptions.Options
		if err := proto.Unmarshal(any.Value, &generic); err != nil {
			return out, fmt.Errorf("runtime options: %w", err)
		}
		return parseGeneric(&generic)
	default:
		return out, fmt.Errorf("runtime options of type %q are unknown; configure the handler with an options table", messageName(any))
	}
}

// lost returns an error if the daemon dropped the options table: containerd 1.6 passes only
// ConfigPath of a table. It is recognized by MAX_SHIM_VERSION, which it does not set when it
// starts a shim. (No daemon sets it for -info.)
func lost(any *anypb.Any) error {
	if messageName(any) == genericOptions && len(any.GetValue()) == 0 && os.Getenv("MAX_SHIM_VERSION") == "" {
		return errors.New("runtime options: containerd 1.6 does not pass the options table on; put it into a file and write ConfigPath = \"/path/of/it\", or remove the table")
	}
	return nil
}

// The messages in which daemons send options.
var (
	runcOptions    = string((&options.Options{}).ProtoReflect().Descriptor().FullName())
	genericOptions = string((&runtimeoptions.Options{}).ProtoReflect().Descriptor().FullName())
)

// messageName returns the name of the message in any. typeurl's URLs have no host
// before it, protobuf's do.
func messageName(any *anypb.Any) string {
	return any.GetTypeUrl()[strings.LastIndexByte(any.GetTypeUrl(), '/')+1:]
}

// parseGeneric reads the TOML of generic options.
func parseGeneric(generic *runtimeoptions.Options) (runtimeOptions, error) {
	where, text := "options table", generic.ConfigBody
	if generic.ConfigPath != "" {
		where = fmt.Sprintf("options file %q", generic.ConfigPath)
		var err error
		if text, err = policy.ReadFile(generic.ConfigPath, maxOptions); err != nil {
			return runtimeOptions{}, fmt.Errorf("runtime options: %s: %w", where, err)
		}
	}
	var table optionsTable
	dec := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := dec.Decode(&table); err != nil {
		return runtimeOptions{}, fmt.Errorf("runtime options: %s: %w", where, tomlError(err))
	}
	if err := spelledTwice(text); err != nil {
		return runtimeOptions{}, fmt.Errorf("runtime options: %s: %w", where, err)
	}
	if table.Policy != "" && !filepath.IsAbs(table.Policy) {
		return runtimeOptions{}, fmt.Errorf("runtime options: %s: Policy %q is not an absolute path", where, table.Policy)
	}
	return runtimeOptions{policy: table.Policy, runc: table.runc()}, nil
}

// spelledTwice returns an error for two keys that differ only in case: containerd's decoder
// takes any spelling, and the last of several.
func spelledTwice(text []byte) error {
	var table map[string]any
	if err := toml.Unmarshal(text, &table); err != nil {
		return err
	}
	keys := slices.Sorted(maps.Keys(table))
	for i, key := range keys {
		for _, other := range keys[:i] {
			if strings.EqualFold(other, key) {
				return fmt.Errorf("options %s and %s are one; remove one", other, key)
			}
		}
	}
	return nil
}

// runc returns the options that containerd's shim takes.
func (t *optionsTable) runc() *options.Options {
	return &options.Options{
		BinaryName: t.BinaryName, Root: t.Root, SystemdCgroup: t.SystemdCgroup,
		NoPivotRoot: t.NoPivotRoot, NoNewKeyring: t.NoNewKeyring, ShimCgroup: t.ShimCgroup,
		IoUid: t.IoUid, IoGid: t.IoGid,
		CriuImagePath: t.CriuImagePath, CriuWorkPath: t.CriuWorkPath,
		//lint:ignore SA1019 daemons still send them
		TaskApiAddress: t.TaskApiAddress, TaskApiVersion: t.TaskApiVersion,
	}
}

// tomlError returns an error of one line that names the wrong option.
func tomlError(err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		var names []string
		for _, e := range unknown.Errors {
			names = append(names, strings.Join(e.Key(), "."))
		}
		return fmt.Errorf("unknown option %s", strings.Join(names, ", "))
	}
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		line, column := wrong.Position()
		if key := strings.Join(wrong.Key(), "."); key != "" {
			return fmt.Errorf("%d:%d: option %s: %w", line, column, key, err)
		}
		return fmt.Errorf("%d:%d: %w", line, column, err)
	}
	return err
}

// typed returns the options as containerd's shim wants them; nil where the daemon
// sent none.
func (o runtimeOptions) typed() (*anypb.Any, error) {
	if proto.Size(o.runc) == 0 {
		return nil, nil
	}
	// typeurl, by which the shim reads them, and anypb differ in the URL's
	// host only; both take either.
	return anypb.New(o.runc)
}

// binary returns the OCI runtime as the options name it.
func (o runtimeOptions) binary() string {
	if o.runc.BinaryName == "" {
		return "runc"
	}
	return o.runc.BinaryName
}
