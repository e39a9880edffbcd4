package decode

import (
	"fmt"
	"strings"
	"sync"

	"github.com/batten-runtime/batten/policy/syscalls"
	"golang.org/x/sys/unix"
)

var (
	cloneSignal = also(0xff, kind{text: signal}, cloneFlags)
	socketType  = also(0xf, oneOf(socketTypes), []word{{unix.SOCK_CLOEXEC, "SOCK_CLOEXEC"}, {unix.SOCK_NONBLOCK, "SOCK_NONBLOCK"}})
	family      = oneOf(families)
)

// signal is the signal that a child ends with.
func signal(v uint64) string {
	if name := unix.SignalName(unix.Signal(v)); name != "" {
		return name
	}
	return fmt.Sprint(v)
}

// persona is personality's argument, of which all ones ask and change nothing.
func persona(v uint64) string {
	if v == 1<<32-1 {
		return hex(v)
	}
	return also(0xff, oneOf(domains), personalities).text(v)
}

// directory is a descriptor of a directory.
func directory(v uint64) string {
	if int32(v) == unix.AT_FDCWD {
		return "AT_FDCWD"
	}
	return decimal(v)
}

// calls are the arguments of the calls that filters usually deny, as section 2 of the manual
// has them.
// They are made when somebody asks: most shims never do.
var calls = sync.OnceValue(func() map[string][]kind {
	return map[string][]kind{
		"acct":                    {pointer},
		"add_key":                 {pointer, pointer, pointer, bits0, whole},
		"bpf":                     {oneOf(bpfCommands), pointer, bits0},
		"chroot":                  {pointer},
		"clock_settime":           {whole, pointer},
		"clone":                   {cloneSignal, pointer},
		"clone3":                  {pointer, bits0}, // the flags are in a structure
		"close_range":             {bits0, bits0, bits0},
		"delete_module":           {pointer, bits0},
		"faccessat2":              {{text: directory}, pointer, bits0, flags(atFlags)},
		"fanotify_init":           {bits0, bits0},
		"fchmodat2":               {{text: directory}, pointer, bits0, flags(atFlags)},
		"finit_module":            {whole, pointer, bits0},
		"fsconfig":                {whole, oneOf(fsconfigs), pointer, pointer, whole},
		"fsmount":                 {whole, bits0, flags(mountAttributes)},
		"fsopen":                  {pointer, bits0},
		"fspick":                  {{text: directory}, pointer, bits0},
		"get_mempolicy":           {pointer},
		"init_module":             {pointer, bits0, pointer},
		"io_uring_enter":          {whole, bits0, bits0, bits0},
		"io_uring_register":       {whole, bits0, pointer, bits0},
		"io_uring_setup":          {bits0, pointer},
		"ioctl":                   {whole, oneOf(ioctls), pointer},
		"ioperm":                  {bits0, bits0, whole},
		"iopl":                    {whole},
		"kcmp":                    {whole, whole, bits0, bits0, bits0},
		"kexec_file_load":         {whole, whole, bits0, pointer, bits0},
		"kexec_load":              {pointer, bits0, pointer, bits0},
		"keyctl":                  {oneOf(keyctls), pointer},
		"lookup_dcookie":          {pointer},
		"mbind":                   {pointer},
		"migrate_pages":           {whole, pointer},
		"mount":                   {pointer, pointer, pointer, flags(mountFlags), pointer},
		"mount_setattr":           {{text: directory}, pointer, flags(openTreeFlags), pointer, bits0},
		"move_mount":              {{text: directory}, pointer, {text: directory}, pointer, flags(moveMountFlags)},
		"move_pages":              {whole, pointer},
		"name_to_handle_at":       {{text: directory}, pointer, pointer, pointer, flags(atFlags)},
		"nfsservctl":              {pointer},
		"open_by_handle_at":       {whole, pointer, bits0},
		"open_tree":               {{text: directory}, pointer, flags(openTreeFlags)},
		"openat2":                 {{text: directory}, pointer, pointer, bits0},
		"perf_event_open":         {pointer, whole, whole, whole, bits0},
		"personality":             {{text: persona, words: domains, mask: 0xff, flags: personalities}},
		"pidfd_getfd":             {whole, whole, bits0},
		"pidfd_open":              {whole, bits0},
		"pivot_root":              {pointer},
		"prctl":                   {oneOf(prctls), pointer},
		"process_madvise":         {whole, pointer, bits0, bits0, bits0},
		"process_vm_readv":        {whole, pointer},
		"process_vm_writev":       {whole, pointer},
		"ptrace":                  {oneOf(ptraceRequests), whole, pointer},
		"quotactl":                {bits0, pointer},
		"reboot":                  {bits, bits, bits, pointer},
		"request_key":             {pointer},
		"seccomp":                 {oneOf(seccompOps), flags(seccompFlags), pointer},
		"set_mempolicy":           {whole, pointer},
		"set_mempolicy_home_node": {pointer},
		"setdomainname":           {pointer, bits0},
		"sethostname":             {pointer, bits0},
		"setns":                   {whole, flags(cloneFlags)},
		"settimeofday":            {pointer},
		"socket":                  {family, socketType, bits0},
		"socketcall":              {{text: multiplexed}, pointer},
		"socketpair":              {family, socketType, bits0, pointer},
		"statx":                   {{text: directory}, pointer, flags(atFlags), bits0, pointer},
		"swapoff":                 {pointer},
		"swapon":                  {pointer, bits0},
		"syslog":                  {whole, pointer},
		"umount":                  {pointer},
		"umount2":                 {pointer, flags(unmountFlags)},
		"unshare":                 {flags(cloneFlags)},
		"uselib":                  {pointer},
		"userfaultfd":             {bits0},
		"vhangup":                 {},
		"vm86":                    {bits0, pointer},
	}
})

// multiplexed is the first argument of i386's socketcall.
func multiplexed(v uint64) string {
	for name, m := range syscalls.Multiplexed {
		if m.By == "socketcall" && m.Call == v {
			return "SYS_" + strings.ToUpper(name)
		}
	}
	return hex0(v)
}
