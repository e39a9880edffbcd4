package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/batten-runtime/batten/internal/learn"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/recorder"
	"github.com/batten-runtime/batten/internal/recording"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// work is what record and replay look at: containers of this node, a bundle or a command.
type work struct {
	wanted    learn.Wanted
	bundle    string
	until     string
	dir       string
	arguments []string
	listener  bool

	// asked are arguments that are recorded besides.
	asked []recorder.Argument

	limit time.Time
	ended bool
}

func newWork(cmd *cobra.Command) *work {
	w := new(work)
	f := cmd.Flags()
	f.StringArrayVar(&w.wanted.IDs, "id", nil, "containers of this `id`, whole or its first 12 digits; may be repeated")
	f.StringVar(&w.wanted.Pod, "pod", "", "containers of pods whose `NAMESPACE/NAME` matches this glob")
	f.StringVar(&w.wanted.Container, "container", "", "containers whose `name` matches this glob")
	f.StringVar(&w.wanted.Image, "image", "", "containers whose `image` matches this glob")
	f.StringVar(&w.bundle, "bundle", "", "run the OCI bundle in this `directory`")
	f.BoolVar(&w.listener, "listener", false, "record a --bundle by a listener, slowly, as where the kernel has no eBPF")
	f.StringVar(&w.until, "until", "", "`when` to end: 10m, 2006-01-02T15:04:05Z, or end for when all have ended")
	f.StringArrayVar(&w.arguments, "argument", nil, "an argument whose values are recorded, too, as `CALL:INDEX`, such as ioctl:1; may be repeated")
	f.StringVar(&w.dir, "dir", names.Records, "`directory` of the records")
	completeFiles(cmd, nil, "bundle", "dir")
	completeFlag(cmd, "id", completeRecords(recordID))
	completeFlag(cmd, "pod", completeRecords(recordWholePod))
	completeFlag(cmd, "container", completeRecords(recordContainer))
	completeFlag(cmd, "image", completeRecords(recordImage))
	completeFlag(cmd, "until", completeWords("10m", "1h", untilEnd))
	return w
}

// untilEnd is the word for when all that is recorded has ended.
const untilEnd = "end"

// none reports whether there is nothing to look at.
func (w *work) none(command []string) bool {
	return len(command) == 0 && w.bundle == "" && w.wanted.None()
}

// check reads what the command line says.
func (w *work) check(command []string) (err error) {
	kinds := 0
	for _, given := range []bool{len(command) > 0, w.bundle != "", !w.wanted.None()} {
		if given {
			kinds++
		}
	}
	if kinds > 1 {
		return usageError{errors.New("containers of the node, a --bundle and a command are three things; name one")}
	}
	if err := w.wanted.Check(); err != nil {
		return usageError{fmt.Errorf("not a glob: %w", err)}
	}
	if w.wanted.Pod != "" && !strings.Contains(w.wanted.Pod, "/") {
		return usageError{fmt.Errorf("--pod is NAMESPACE/NAME, such as web/shop-*, or */%s in all namespaces", w.wanted.Pod)}
	}
	if w.listener && w.bundle == "" {
		return usageError{errors.New("--listener is for a --bundle")}
	}
	for _, text := range w.arguments {
		name, index, ok := strings.Cut(text, ":")
		i, err := strconv.ParseUint(index, 10, 8)
		if !ok || err != nil || i > 5 {
			return usageError{fmt.Errorf("--argument is a call and the index of an argument, 0 to 5, such as ioctl:1, not %q", text)}
		}
		if !recorder.Knows(name) {
			return usageError{fmt.Errorf("--argument: programs of this machine have no call %q", name)}
		}
		w.asked = append(w.asked, recorder.Argument{Name: name, Index: uint(i)})
	}
	return w.checkUntil()
}

// checkUntil reads when to end.
func (w *work) checkUntil() error {
	switch ago, err := time.ParseDuration(w.until); {
	case w.until == "":
	case w.until == untilEnd:
		w.ended = true
	case err == nil && ago > 0:
		w.limit = time.Now().Add(ago)
	default:
		if w.limit, err = time.Parse(time.RFC3339, w.until); err != nil {
			return usageError{fmt.Errorf("--until is a duration such as 10m, a time such as 2006-01-02T15:04:05Z, or end, not %q", w.until)}
		}
		if !w.limit.After(time.Now()) {
			return usageError{fmt.Errorf("--until %s is over", w.until)}
		}
	}
	return nil
}

// record records the work until it ends, or is to end.
func (w *work) record(cmd *cobra.Command, command []string, runtime *ociRuntime) (*recording.Recording, error) {
	if err := needsRoot("only root can record"); err != nil {
		return nil, err
	}
	if w.dir != names.Records {
		if err := listable(w.dir); err != nil {
			return nil, err
		}
	}
	say := func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...) }
	if w.listener {
		return w.listen(cmd, runtime)
	}
	s, err := learn.Open(learn.Options{Wanted: w.wanted, Records: w.dir, Arguments: w.asked, Say: say})
	if lacks := new(recorder.Unable); errors.As(err, &lacks) {
		if w.bundle == "" {
			return nil, refused{fmt.Errorf("cannot record here: %w", err), lacks.Remedy + "; a --bundle can be recorded without that"}
		}
		say("no eBPF here: %s", lacks.Why)
		return w.listen(cmd, runtime)
	}
	if err != nil {
		return nil, refused{err, onTheNode}
	}
	ctx, stop := w.context(cmd, len(command) > 0)
	defer stop()
	switch {
	case len(command) > 0:
		err = w.runCommand(ctx, cmd, s, command)
	case w.bundle != "":
		err = w.runBundle(ctx, cmd, s, runtime)
	default:
		say("recording")
		w.prompt(ctx, cmd, stop)
		err = s.Run(ctx, w.ended)
	}
	now, wrong := s.Close()
	if err = errors.Join(err, wrong); err != nil {
		return nil, err
	}
	if len(now.Containers) == 0 && now.Lost.Containers > 0 {
		return nil, hinted{errors.New("nothing was recorded: more containers started at once than there is room for"), "record again"}
	}
	if len(now.Containers) == 0 {
		return nil, hinted{errors.New("nothing was recorded: no such container ran or started"), "batten records and batten status show the containers of this node"}
	}
	return now, nil
}

// context ends when the work is to end. A command gets the terminal's interrupts itself, and ends by
// them; a container has a session of its own, where they do not come.
func (w *work) context(cmd *cobra.Command, command bool) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, syscall.SIGHUP)
	if command {
		interrupts := make(chan os.Signal, 1)
		signal.Notify(interrupts, syscall.SIGINT)
	} else {
		ctx, stop = signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	}
	if w.limit.IsZero() {
		return ctx, stop
	}
	ctx, cancel := context.WithDeadline(ctx, w.limit)
	return ctx, func() { cancel(); stop() }
}

// prompt lets somebody at a terminal end the recording by a key.
func (w *work) prompt(ctx context.Context, cmd *cobra.Command, stop func()) {
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || w.until != "" || !term.IsTerminal(int(in.Fd())) {
		return
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "press Enter to end")
	go func() {
		if _, err := bufio.NewReader(in).ReadString('\n'); err == nil && ctx.Err() == nil {
			stop()
		}
	}()
}

func (w *work) runCommand(ctx context.Context, cmd *cobra.Command, s *learn.Session, args []string) error {
	c := exec.Command(args[0], args[1:]...)
	c.Stdin, c.Stdout, c.Stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	state, err := s.Command(ctx, c)
	if err != nil {
		return hinted{err, "behind -- stands a program of this node and its arguments"}
	}
	if !state.Success() {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: the command ended with %s\n", state)
	}
	return nil
}
