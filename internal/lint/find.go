package lint

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// extensions are those of the files that count in a directory, in any case.
var extensions = []string{".json", ".yaml", ".yml"}

// Find returns the files that names stand for, without their data: of a directory those
// below it whose names end as manifests and profiles do. It follows symbolic links, as
// kubectl does, and returns each file once, however many names lead to it. Directories
// whose names begin with a dot are left out.
func Find(names []string) ([]File, error) {
	f := finder{seen: map[string]bool{}}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil || !info.IsDir() {
			f.add(File{Name: name}) // who reads it says what is wrong
			continue
		}
		if !f.first(name) {
			continue
		}
		before := f.met
		if err := f.directory(name); err != nil {
			return nil, err
		}
		if f.met == before {
			return nil, fmt.Errorf("directory %q holds no file that ends with %s", name, strings.Join(extensions, ", "))
		}
	}
	return f.out, nil
}

// finder is the work of one call of Find.
type finder struct {
	seen map[string]bool // files and directories, without symbolic links
	met  int             // files, those that were seen before too
	out  []File
}

// add takes a file that was not there yet.
func (f *finder) add(file File) {
	f.met++
	if f.first(file.Name) {
		f.out = append(f.out, file)
	}
}

// first reports whether nothing led to a path before. One that cannot be resolved is new.
func (f *finder) first(path string) bool {
	real, err := filepath.EvalSymlinks(path)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		return true
	}
	if f.seen[real] {
		return false
	}
	f.seen[real] = true
	return true
}

// directory takes the files below a directory. A link that leads nowhere is an error of
// whoever reads it.
func (f *finder) directory(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			if !strings.HasPrefix(e.Name(), ".") && f.first(path) {
				if err := f.directory(path); err != nil {
					return err
				}
			}
		case (err != nil || info.Mode().IsRegular()) && slices.Contains(extensions, strings.ToLower(filepath.Ext(path))):
			f.add(File{Name: path, Found: true})
		}
	}
	return nil
}
