package kernel

import "github.com/batten-runtime/batten/policy/profile"

// exitARM is a whole program of 32-bit ARM: an ELF header, one program header, and
// mov r0, #0; mov r7, #1; svc 0, which is exit(0).
const exitARM = "\x7fELF\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x02\x00\x28\x00\x01\x00\x00\x00\x54\x00\x01\x00\x34\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x05\x34\x00\x20\x00\x01\x00\x00\x00" +
	"\x00\x00\x00\x00" +
	"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00" +
	"\x60\x00\x00\x00\x60\x00\x00\x00\x05\x00\x00\x00\x00\x10\x00\x00" +
	"\x00\x00\xa0\xe3\x01\x70\xa0\xe3\x00\x00\x00\xef"

// ABIs asks the kernel whether it runs 32-bit ARM programs: not every processor does. A
// process that has a seccomp filter itself cannot distinguish the filter's answer from the
// kernel's, so ABIs does not probe there. ABIs starts a child: a program that waits for any
// child must call it before.
func ABIs() profile.ABIs {
	if filtered() {
		return profile.ABIs{}
	}
	arm, known := runsProgram(exitARM)
	return profile.ABIs{Probed: known, ARM: arm && known}
}
