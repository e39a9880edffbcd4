package runc

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
)

// caller is the engine that calls batten-runc, as far as batten-runc is to know it.
type caller struct {
	// engine is names.CRIO for CRI-O, and empty for all others.
	engine string
	// settings is the file of the settings that are for this engine.
	settings string
	// runtimes and dirs are the names and places of the runtime that is taken where the
	// settings name none, in this order.
	runtimes, dirs []string
}

// callerOf tells the engine by the name that it calls batten-runc by, os.Args[0]. The engine's
// configuration has that name, and nothing that a container's author writes can change it: a
// link for CRI-O also keeps apart what CRI-O and Podman, which often is on the same node, say
// in the same annotations, and hands over to another runtime for each.
func callerOf(arg0 string) (caller, error) {
	name := filepath.Base(arg0)
	if name == names.WrapperCRIO {
		return crio, nil
	}
	if strings.HasPrefix(name, names.Wrapper+"-cri") {
		return caller{}, fmt.Errorf("called by the name %s, which Batten does not know: CRI-O calls it %s, and other engines %s", name, names.WrapperCRIO, names.Wrapper)
	}
	return others, nil
}

var others = caller{settings: DefaultConfig, runtimes: []string{"runc", "crun"}, dirs: systemDirs}

// crio is CRI-O, whose packages bring a crun and a runc of their own. crun is its default from
// 1.31 on.
var crio = caller{
	engine: names.CRIO, settings: CRIOConfig, runtimes: []string{"crun", "runc"},
	dirs: append([]string{"/usr/libexec/crio"}, systemDirs...),
}
