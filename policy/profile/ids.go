package profile

// IDs are those of what [Parse] finds, with what each means. What makes a
// profile unreadable has none.
var IDs = map[string]string{
	"notify-default":     "SCMP_ACT_NOTIFY as the default action, which runc refuses",
	"notify-no-listener": "SCMP_ACT_NOTIFY without listenerPath, which runc refuses",
	"notify-write":       "SCMP_ACT_NOTIFY on write, which runc refuses",
	"listener-unused":    "a listenerPath to which nothing is sent",
	"names-nothing":      "a rule that names no system call",
	"repeats-default":    "a rule whose action is the default one, which runc skips",
	"errno-ignored":      "an errno beside an action that has none",
	"either-condition":   "two conditions on one argument, of which either is enough",
	"mask-zero":          "a masked comparison with a mask of 0, which always holds",
	"errno-zero":         "an errno of 0, by which a denied call seems to succeed",
	"never-applies":      "includes or excludes that hold for no container",
	"native-only":        "a deny-list for the machine's own ABI alone, which kills 32-bit programs",
	"kill-thread":        "an action that ends one thread of a program",
	"flag-unsupported":   "a flag that the runtime's libseccomp does not have",
	"base-unknown":       "a SeccompProfile with a base, whose rules are not at hand",
	"siblings-open":      "a denied call beside others that can do the same and stay open",
	"multiplexed":        "conditions on a call that 32-bit programs make through socketcall or ipc",
	"outside-mask":       "a masked comparison with bits outside the mask, which libseccomp ignores",
	"never-matches":      "a condition that can never match",
	"matches-nothing":    "a profile of which libseccomp may make a filter in which no rule matches",
	"unknown-syscall":    "a syscall that there is not, which runtimes skip",
	"high-bits":          "a condition on an argument that the kernel cuts, which calls pass by the bits above",
	"too-large":          "a profile with more names or conditions than Batten works on",
	"overlap":            "rules of different actions for the same calls, of which no order is defined",
	cannotStart:          "a profile under which no container can start",
	"dropped":            "a key that is dropped before a runtime sees it, so that the profile means something else",
	"hangs-runtime":      "a profile that ends a thread of the runtime, which waits for it for good",
	"may-not-start":      "a profile under which runc may not be able to start a container",
}
