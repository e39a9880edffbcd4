package install

import (
	"maps"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/batten-runtime/batten/internal/names"
)

// crioHandlers are those of CRI-O's configuration.
func crioHandlers(c Configs) (out []Handler, err error) {
	files, err := CRIOFiles(c.CRIO)
	if err != nil {
		return nil, err
	}
	config, err := readCRIO(files, "")
	if err != nil {
		return nil, err
	}
	def, err := config.standard()
	if err != nil {
		return nil, err
	}
	all := maps.Clone(config.runtimes)
	if _, ok := all[def]; !ok { // CRI-O's own
		all[def] = map[string]any{}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		table, like := all[name], name
		if inherits, _ := table["inherit_default_runtime"].(bool); inherits {
			table, like = all[def], def
		}
		path, _ := table["runtime_path"].(string)
		if path == "" { // then CRI-O looks for its name
			if path, _ = exec.LookPath(like); path == "" {
				path = like
			}
		}
		h := Handler{Engine: names.CRIO, Name: name, Default: name == def, By: path}
		if base := filepath.Base(path); base == names.Wrapper || base == names.WrapperCRIO {
			h.want(path, "crio")
			h.NoPods = base == names.Wrapper
		}
		if paths, _ := all[name]["platform_runtime_paths"].(map[string]any); len(paths) > 0 {
			h.Batten, h.By = false, h.By+", or what an image's platform chooses (platform_runtime_paths)"
		}
		out = append(out, h)
	}
	return out, nil
}
