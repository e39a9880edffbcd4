package enforce

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"

	"github.com/batten-runtime/batten/policy"
	"github.com/batten-runtime/batten/policy/profile"
	"golang.org/x/sys/unix"
)

// abisFile holds what the kernel was found to run, until the next boot.
const abisFile = "abis.json"

// ProbeABIs probes the kernel and keeps the answer below dir, unless one is
// there. Without an answer no ABI is left out of a profile, which costs time
// and nothing else: so errors are nobody's concern.
func ProbeABIs(dir string) {
	path := filepath.Join(dir, abisFile)
	if ours(path) {
		return
	}
	abis := profile.ProbeABIs()
	if data, err := json.Marshal(abis); err == nil && abis.Probed {
		_ = writeFile(path, data)
	}
}

// readABIs believes root's own file only.
func readABIs(dir string) (abis profile.ABIs) {
	path := filepath.Join(dir, abisFile)
	if !ours(path) {
		return profile.ABIs{}
	}
	data, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(data, &abis) != nil {
		return profile.ABIs{}
	}
	return abis
}

// ours reports whether there is a file that only root can have written.
func ours(path string) bool {
	var st syscall.Stat_t
	return syscall.Lstat(path, &st) == nil && st.Uid == 0 && st.Mode&0o022 == 0
}

// ThisMachine is the machine that profiles are resolved against, with the
// ABIs that ProbeABIs found.
func ThisMachine(dir string) policy.Machine {
	return policy.Machine{ABIs: readABIs(dir), KernelRelease: KernelRelease()}
}

// KernelRelease is uname's release; empty where it cannot be had.
func KernelRelease() string {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return ""
	}
	return unix.ByteSliceToString(uts.Release[:])
}
