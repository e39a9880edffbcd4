package explain

import (
	"os"
	"path/filepath"

	"github.com/batten-runtime/batten/internal/lint"
	"github.com/batten-runtime/batten/spec"
)

// Files returns the files that arguments name: a file itself, and of a directory its
// config.json where it is a bundle, else those that batten lint would judge.
func Files(args []string) (files []string, err error) {
	for _, arg := range args {
		if info, err := os.Stat(arg); arg == "-" || err != nil || !info.IsDir() {
			files = append(files, arg) // reading it says what is wrong
			continue
		}
		if bundle := filepath.Join(arg, spec.FileName); isFile(bundle) {
			files = append(files, bundle)
			continue
		}
		found, err := lint.Find([]string{arg})
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			files = append(files, f.Name)
		}
	}
	return files, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
