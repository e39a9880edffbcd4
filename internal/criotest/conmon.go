package criotest

import "path/filepath"

// Conmon is a call of conmon.
type Conmon struct {
	// Bundle, ID and Name are the container's, and Dir is where CRI-O keeps it.
	Bundle, ID, Name, Dir string
	// Runtime is the handler's runtime_path, and Root its runtime_root.
	Runtime, Root string
	// Run is a directory for exits and sockets.
	Run string
	// Systemd is set where CRI-O's cgroup_manager is systemd.
	Systemd bool
}

// Args are the arguments with which CRI-O has conmon create a container. conmon calls
// "RUNTIME --root=ROOT create --bundle BUNDLE --pid-file FILE ID", and waits for CRI-O to call
// "RUNTIME --root ROOT start ID" (CRI-O's runtimeCmd).
func (c Conmon) Args() []string {
	args := []string{
		"-b", c.Bundle,
		"-c", c.ID,
		"--exit-dir", filepath.Join(c.Run, "exits"),
		"-l", filepath.Join(c.Dir, "0.log"),
		"--log-level", "info",
		"-n", c.Name,
		"-P", filepath.Join(c.Bundle, "conmon-pidfile"),
		"-p", filepath.Join(c.Bundle, "pidfile"),
		"--persist-dir", c.Dir,
		"-r", c.Runtime,
		"--runtime-arg", "--root=" + c.Root,
		"--socket-dir-path", filepath.Join(c.Run, "attach"),
		"--syslog",
		"-u", c.ID,
	}
	if c.Systemd {
		args = append(args, "-s")
	}
	return args
}

// RuntimeArgs are the arguments with which CRI-O itself calls the runtime, such as start ID.
func (c Conmon) RuntimeArgs(args ...string) []string {
	out := []string{"--root", c.Root}
	if c.Systemd {
		out = append(out, "--systemd-cgroup")
	}
	return append(out, args...)
}
