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

// ProbeABIs probes the kernel and keeps the answer below dir, unless it is
// there. Without an answer no ABI is left out of a profile, which costs time
// and nothing else: so errors are nobody's concern.
func ProbeABIs(dir string) profile.ABIs {
	if abis := readABIs(dir); abis.Probed {
		return abis
	}
	abis := profile.ProbeABIs()
	if data, err := json.Marshal(abis); err == nil && abis.Probed {
		_ = writeFile(filepath.Join(dir, abisFile), data)
	}
	return abis
}

// readABIs believes root's own file only.
func readABIs(dir string) (abis profile.ABIs) {
	path := filepath.Join(dir, abisFile)
	var st syscall.Stat_t
	if err := syscall.Lstat(path, &st); err != nil || st.Uid != 0 || st.Mode&0o022 != 0 {
		return profile.ABIs{}
	}
	data, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(data, &abis) != nil {
		return profile.ABIs{}
	}
	return abis
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
