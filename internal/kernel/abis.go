package kernel

import (
	"path/filepath"

	"github.com/batten-runtime/batten/policy/profile"
)

// abisFile holds which ABIs the kernel runs, until the next boot.
const abisFile = "abis.json"

// keepABIs probes the kernel and keeps the answer below dir, unless dir has one. Errors do
// not matter: without an answer every ABI stays in the profiles, which is as safe and slower.
func keepABIs(dir string) {
	path := filepath.Join(dir, abisFile)
	var abis profile.ABIs
	if dir == "" || read(path, &abis) {
		return
	}
	if abis = ABIs(); abis.Probed {
		keep(path, abis)
	}
}

// keptABIs returns the answer below dir, the zero value if there is none.
func keptABIs(dir string) (abis profile.ABIs) {
	if dir == "" || !read(filepath.Join(dir, abisFile), &abis) {
		return profile.ABIs{}
	}
	return abis
}
