package syscalls

import "bytes"

// NamesIn returns the names of system calls that the libseccomp in a file knows. The file is
// the shared library, or a runtime that has libseccomp built in. Since 2.5 libseccomp keeps
// the names in one table of strings. ok is false if the file has no such table, or more than
// one. Distributions add names to a release, so that the file says more than its version.
func NamesIn(file []byte) (names []string, ok bool) {
	var run []string
	ours := 0
	end := func() {
		if ours >= leastNames {
			ok = names == nil
			names = run
		}
		run, ours = nil, 0
	}
	for len(file) > 0 {
		at := bytes.IndexByte(file, 0)
		if at < 0 {
			break
		}
		word := file[:at]
		file = file[at+1:]
		if !isName(word) {
			if run != nil {
				end()
			}
			continue
		}
		name := string(word)
		if _, known := entry(name); known {
			ours++
		}
		run = append(run, name)
	}
	end()
	if !ok {
		return nil, false
	}
	return names, true
}

// leastNames is how many names of system calls a run of strings must have to count as the
// table. libseccomp 2.5.0 has 469; other strings of a runtime have a few.
const leastNames = 300

// isName reports whether word can be the name of a system call.
func isName(word []byte) bool {
	if len(word) < 2 || len(word) > 40 {
		return false
	}
	for _, c := range word {
		if c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
