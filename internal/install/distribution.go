package install

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/procfs"
)

// Distribution is a way in which nodes get their containerd and its configuration.
type Distribution struct {
	Name string
	// Units are the systemd services, one of which runs containerd.
	Units []string
	// Socket is containerd's, Binary its program where that is not on PATH.
	Socket, Binary string
	// Bin is the only directory below which programs can be run; empty for anywhere.
	Bin string

	configs []string // what containerd reads: the first that is there, else the first
	marks   []string // files that only this distribution has
	osID    string   // the ID of its os-release
	// writer is what writes the configuration at each start, although the file does not
	// say so; empty where it says so, or nobody does.
	writer string
	// merged is the directory whose files the writer merges into the configuration.
	merged string
	// templates are beside the configuration, by its version: what the writer makes it of.
	templates map[int]string
	// asTOML is set where the template is TOML; otherwise it is one of text/template that
	// has the writer's own text as "base".
	asTOML bool
	// where says where lines of the configuration go, or where to make Batten the default.
	where, defaults string
	// nodeConfig is set where the lines go into an object of Kubernetes' form.
	nodeConfig bool
	// sealed is set where nothing of it can be written on the node.
	sealed bool
	note   string // what else to know
}

// Plain is a node whose containerd is configured in its usual place by whoever owns the node.
const Plain = "plain"

// DistributionNames returns what can be asked for.
func DistributionNames() (names []string) {
	for _, d := range distributions {
		names = append(names, d.Name)
	}
	return names
}

func distributionNamed(name string) (Distribution, bool) {
	for _, d := range distributions {
		if d.Name == name {
			return d, true
		}
	}
	return Distribution{}, false
}

// Detect returns the distribution of the host below root, and by what it is recognized;
// Plain where nothing is recognized.
func Detect(root string) (d Distribution, by string) {
	id := osID(root)
	for _, d := range distributions {
		for _, mark := range d.marks {
			if exists(filepath.Join(root, mark)) {
				return d, mark
			}
		}
		if d.osID != "" && d.osID == id {
			return d, "/etc/os-release, ID=" + id
		}
		for _, unit := range d.Units {
			if file := unitFile(root, unit); file != "" && unit != "containerd" { // which is everybody's
				return d, file
			}
		}
	}
	d, _ = distributionNamed(Plain)
	return d, ""
}

// osID returns the ID of the host's os-release.
func osID(root string) string {
	for _, file := range []string{"etc/os-release", "usr/lib/os-release"} {
		text, _ := read(filepath.Join(root, file))
		for line := range strings.Lines(string(text)) {
			if id, ok := strings.CutPrefix(strings.TrimSpace(line), "ID="); ok {
				return strings.Trim(id, `"'`)
			}
		}
	}
	return ""
}

// unitFile returns the file of a systemd service, empty if there is none.
func unitFile(root, unit string) string {
	for _, dir := range []string{"/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"} {
		file := filepath.Join(dir, unit+".service")
		if exists(filepath.Join(root, file)) {
			return file
		}
	}
	return ""
}

// Unit returns the service that runs containerd on the host below root: the one that has
// processes, else the first that there is; empty if there is none.
func (d Distribution) Unit(root string) string {
	processes, _ := procfs.All(filepath.Join(root, "/proc"))
	found := map[string]bool{}
	for _, p := range processes {
		found[p.Unit()] = true
	}
	for _, unit := range d.Units {
		if found[unit] {
			return unit
		}
	}
	for _, unit := range d.Units {
		if unitFile(root, unit) != "" {
			return unit
		}
	}
	return ""
}

// Recognize returns the distribution to install to: the given one, or the one that a given
// file belongs to, or the one that is detected on the host below root.
func (o Options) Recognize(root string) (Distribution, error) {
	o.root = root
	found, by := Detect(o.root)
	if o.Distribution == "" {
		if o.Config != "" && !found.reads(o) {
			return ownerOf(o), nil
		}
		return found, nil
	}
	given, ok := distributionNamed(o.Distribution)
	if !ok {
		return given, fmt.Errorf("distribution %q is unknown; it is one of %s", o.Distribution, strings.Join(DistributionNames(), ", "))
	}
	if by != "" && found.Name != given.Name {
		return given, fmt.Errorf("this node is of %s (%s), not of %s: its containerd reads %s, and lines for it go to %s; for another containerd of this node give --config alone",
			found.Name, by, given.Name, found.config(o.root), found.where)
	}
	return given, nil
}

// ownerOf returns the distribution that a configuration belongs to: by its path, or by who
// it says has generated it.
func ownerOf(o Options) Distribution {
	by := generatedBy(o.Config)
	for _, d := range distributions {
		if d.reads(o) && !d.shares() || by != "" && d.Name == by {
			return d
		}
	}
	d, _ := distributionNamed(Plain)
	return d
}

// reads reports whether a configuration is one of the distribution's.
func (d Distribution) reads(o Options) bool {
	return slices.ContainsFunc(d.configs, func(file string) bool { return o.Config == filepath.Join("/", o.root, file) })
}

// shares reports whether the distribution's configuration is in the usual place.
func (d Distribution) shares() bool { return d.configs[0] == DefaultContainerd }

// config returns the file that containerd reads on the host below root.
func (d Distribution) config(root string) string {
	for _, file := range d.configs {
		if file := filepath.Join(root, file); exists(file) {
			return file
		}
	}
	return filepath.Join(root, d.configs[0])
}

// ContainerdConfig returns the configuration that this node's containerd reads: the given
// file, or that of the node's distribution.
func ContainerdConfig(given string) string {
	if given != "" {
		return given
	}
	d, _ := Detect("/")
	return d.config("/")
}

// ContainerdProgram returns the program of the containerd that reads a configuration, that
// of the node's distribution where it is empty: a path, or a name to look for on PATH.
func ContainerdProgram(config string) string {
	o := Options{Config: config}
	d, err := o.Recognize("")
	if err != nil { // only of a distribution that is given
		return "containerd"
	}
	return d.binary(o)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// runs returns an error where programs in a directory cannot be run.
func (d Distribution) runs(bin string) error {
	if d.Bin == "" || bin == d.Bin || strings.HasPrefix(bin, d.Bin+"/") {
		return nil
	}
	return fmt.Errorf("%s runs programs below %s only, and Batten's are in %s; copy them to %s, and name it with --bin", d.Name, d.Bin, bin, filepath.Join(d.Bin, shortName))
}

// binary returns containerd's program: the given one, the distribution's, or the one on PATH.
func (d Distribution) binary(o Options) string {
	switch {
	case o.Binary != "":
		return o.Binary
	case executable(d.Binary):
		return d.Binary
	}
	return "containerd"
}
