package install

import (
	"bytes"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/batten-runtime/batten/internal/names"
)

// DefaultCRIO is a drop-in of CRI-O's configuration. CRI-O reads the files there by their names,
// and of a setting the last one counts.
const DefaultCRIO = "/etc/crio/crio.conf.d/99-batten.conf"

const crioComment = "# Written by batten install; batten uninstall removes it."

// crioTable is where handlers are in CRI-O's configuration.
var crioTable = []string{"crio", "runtime", "runtimes"}

// CRIO plans a handler of CRI-O, in a file of its own: another handler's table, with batten-runc
// in place of that handler's runtime.
func CRIO(o Options) (*Plan, error) {
	if err := o.complete("crio", shortName, DefaultCRIO); err != nil {
		return nil, err
	}
	p := &Plan{Target: "crio", File: o.Config}
	var err error
	if p.Before, p.now, err = base(o.Dir, p.Target, o.Config, "", takeOutCRIO); err != nil {
		return nil, err
	}
	if p.Before != nil {
		return nil, fmt.Errorf("%s is there already and not Batten's; remove it, or name another with --config", o.Config)
	}
	wrapper := filepath.Join(o.Bin, names.WrapperCRIO)
	if !executable(wrapper) || filepath.Base(resolve("/", wrapper)) != names.Wrapper {
		return nil, fmt.Errorf("%s, by which CRI-O calls batten-runc, is no link to it: ln -sf %s %s", wrapper, names.Wrapper, wrapper)
	}
	files, err := CRIOFiles(CRIOConfigs{Main: crioMain(o.Config), DropIns: filepath.Dir(o.Config)})
	if err != nil {
		return nil, err
	}
	c, err := readCRIO(files, o.Config)
	if err != nil {
		return nil, err
	}
	if file, ok := c.defined[o.Handler]; ok {
		return nil, fmt.Errorf("%s has a handler %q already; choose another name with --handler", file, o.Handler)
	}
	if o.Default && c.defFile > o.Config && c.defFile != crioMain(o.Config) {
		return nil, fmt.Errorf("%s sets default_runtime, and CRI-O reads it after %s: take that line out, or name a file that comes after it with --config", c.defFile, o.Config)
	}
	table, real, err := c.wrap(&o, wrapper)
	if err != nil {
		return nil, err
	}
	if p.After, err = crioText(o, table); err != nil {
		return nil, err
	}
	p.state = &state{Handler: o.Handler, Default: o.Default, Wrap: o.Wrap}
	p.runtime = real
	p.Notes = append(p.Notes, "restart CRI-O for it to take effect; running containers stay as they are",
		"other handlers of CRI-O bypass Batten: a RuntimeClass may name them")
	if kind, _ := table["runtime_type"].(string); kind == "pod" {
		p.Notes = append(p.Notes, `runtime_type = "pod", conmon-rs, was not tried with Batten`)
	}
	p.checkCRIO(o.Config)
	return p, nil
}

// crioMain is CRI-O's main configuration beside the directory of a drop-in.
func crioMain(dropIn string) string {
	return filepath.Join(filepath.Dir(filepath.Dir(dropIn)), "crio.conf")
}

// wrap returns the table of the handler that the options wrap, with Batten in it, and the
// runtime that it has now. It puts the handler's name into the options.
func (c *crioConfig) wrap(o *Options, wrapper string) (table map[string]any, real string, err error) {
	standard, err := c.standard()
	if o.Wrap == "" {
		if err != nil {
			return nil, "", err
		}
		o.Wrap = standard
	}
	table, ok := c.runtimes[o.Wrap]
	if !ok {
		return nil, "", fmt.Errorf("no file has CRI-O's handler %q, so that its settings are unknown: write [%s] with its runtime_path into a file in %s first (crio config --default shows CRI-O's own), or name another by --wrap; read: %s",
			o.Wrap, header(append(crioTable, o.Wrap)), filepath.Dir(o.Config), strings.Join(c.files, ", "))
	}
	where := fmt.Sprintf("%s: handler %q", c.defined[o.Wrap], o.Wrap)
	if inherits, _ := table["inherit_default_runtime"].(bool); inherits {
		return nil, "", fmt.Errorf("%s takes its runtime from the default one (inherit_default_runtime); name that by --wrap", where)
	}
	if kind, _ := table["runtime_type"].(string); kind != "" && kind != "oci" && kind != "pod" {
		return nil, "", fmt.Errorf("%s is of the type %q, which is not started as runc is; name another by --wrap", where, kind)
	}
	if paths, _ := table["platform_runtime_paths"].(map[string]any); len(paths) > 0 {
		return nil, "", fmt.Errorf("%s has platform_runtime_paths, by which an image's platform chooses a runtime that bypasses Batten; take them out, or name another by --wrap", where)
	}
	real, _ = table["runtime_path"].(string)
	if real == "" { // then CRI-O looks for its name
		if real, err = exec.LookPath(o.Wrap); err != nil {
			return nil, "", fmt.Errorf("%s has no runtime_path: %w", where, err)
		}
	}
	switch {
	case !filepath.IsAbs(real) || !executable(real):
		return nil, "", fmt.Errorf("%s has the runtime_path %q, which is no program", where, real)
	case filepath.Base(resolve("/", real)) == names.Wrapper:
		return nil, "", fmt.Errorf("%s calls batten-runc already; name another by --wrap", where)
	}
	table = maps.Clone(table)
	table["runtime_path"] = wrapper
	return table, real, nil
}

// crioText is Batten's file.
func crioText(o Options, table map[string]any) ([]byte, error) {
	var block bytes.Buffer
	fmt.Fprintf(&block, "%s\n%s\n", crioComment, beginMark)
	if o.Default {
		fmt.Fprintf(&block, "[crio.runtime]\n  default_runtime = %q\n", o.Handler)
	}
	fmt.Fprintf(&block, "# as %s, with Batten\n", o.Wrap)
	if err := writeTable(&block, append(crioTable, o.Handler), table); err != nil {
		return nil, err
	}
	fmt.Fprintln(&block, endMark)
	return block.Bytes(), nil
}

// takeOutCRIO takes Batten's part out of a file that somebody changed, and removes the file if
// nothing is left.
func takeOutCRIO(s *state, text []byte) ([]byte, error) {
	text, err := takeOutTOML(s, text)
	if err != nil {
		return nil, err
	}
	text = bytes.ReplaceAll(text, []byte(crioComment+"\n"), nil)
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	return text, nil
}

// checkCRIO has crio read the result, where there is a crio.
func (p *Plan) checkCRIO(dropIn string) {
	if _, err := exec.LookPath("crio"); err != nil {
		p.Notes = append(p.Notes, "there is no crio on PATH: nothing has checked the result")
		return
	}
	check := func() error {
		args := []string{"--config-dir", filepath.Dir(dropIn), "config"}
		if main := crioMain(dropIn); exists(main) {
			args = append([]string{"--config", main}, args...)
		}
		cmd := exec.Command("crio", args...)
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("crio %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(said.String()))
		}
		return nil
	}
	if err := check(); err != nil { // for a reason that is not ours
		p.Notes = append(p.Notes, "crio config does not accept the configuration as it was, so that it cannot say whether it does now")
		return
	}
	p.check = check
}

// crioRuntime is the target of the file in which batten-runc is told CRI-O's runtime.
const crioRuntime = "crio-runtime"

// CRIORuntime plans that batten-runc hands CRI-O's containers over to the runtime that the
// wrapped handler of a plan of CRIO has: it writes settings, batten-runc's file for CRI-O. A file
// of somebody else's stays; then there is no plan, but a note if the runtimes differ. o.Runtime
// and o.NoRuntime are what batten-runc says of that file.
func CRIORuntime(o Options, settings string, of *Plan) (p *Plan, note string, err error) {
	p = &Plan{Target: crioRuntime, File: settings, state: &state{}}
	if p.Before, p.now, err = base(o.Dir, p.Target, settings, "", takeOutSettings); err != nil {
		return nil, "", err
	}
	switch {
	case p.Before == nil:
		p.After = fmt.Appendf(nil, "%s\n# It is what CRI-O used before.\nRuntime = %q\n", crioComment, of.runtime)
		p.Notes = append(p.Notes, "batten-runc hands CRI-O's containers over to "+of.runtime)
		return p, "", nil
	case o.NoRuntime != nil:
		return nil, "", fmt.Errorf("batten-runc would refuse: %w", o.NoRuntime)
	case resolve("/", of.runtime) != o.Runtime:
		return nil, fmt.Sprintf("CRI-O used %s until now, and batten-runc hands over to %s: to keep it, write Runtime = %q into %s", of.runtime, o.Runtime, of.runtime, settings), nil
	}
	return nil, "", nil
}
