package profile

// IDs are those of what [Validate] finds, with what each means. What makes a
// profile unreadable has none.
var IDs = map[string]string{
	"notify-default":     "SCMP_ACT_NOTIFY as the default action, which runc refuses",
	"notify-no-listener": "SCMP_ACT_NOTIFY without listenerPath, which runc refuses",
	"notify-write":       "SCMP_ACT_NOTIFY on write, which runc refuses",
	"listener-unused":    "a listenerPath to which nothing is sent",
	"repeats-default":    "a rule whose action is the default one, which runc skips",
	"errno-ignored":      "an errno beside an action that has none",
	"either-condition":   "two conditions on one argument, of which runc takes either and crun both",
	"outside-mask":       "a masked comparison with bits outside the mask, which libseccomp ignores",
	"never-matches":      "a condition that can never match",
	"matches-nothing":    "a profile of which libseccomp may make a filter in which no rule matches",
	"unknown-syscall":    "a syscall that there is not, which runtimes skip",
	"overlap":            "rules of different actions for the same calls, of which no order is defined",
	cannotStart:          "a profile under which no container can start",
	"may-not-start":      "a profile under which runc may not be able to start a container",
}
