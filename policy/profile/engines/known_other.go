//go:build !amd64 && !arm64

package engines

import "github.com/batten-runtime/batten/policy/profile/engines/fingerprint"

// known is empty: nobody has looked at what engines do on other machines.
var known []fingerprint.Template
