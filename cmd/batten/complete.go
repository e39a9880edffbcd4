package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/batten-runtime/batten/internal/install"
	"github.com/batten-runtime/batten/internal/names"
	"github.com/batten-runtime/batten/internal/record"
	"github.com/batten-runtime/batten/policy"
	"github.com/containerd/containerd/v2/pkg/cap"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Completions are best guesses for a shell: what cannot be read offers nothing.

// unquoteUsages takes the quotes off the names of values in the usages of all flags, which
// shells show as they are.
func unquoteUsages(root *cobra.Command) {
	for _, cmd := range append(root.Commands(), root) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") })
	}
}

// completer is cobra's type of functions that complete an argument or a flag's value.
type completer = cobra.CompletionFunc

// completeFlag registers what a flag's values are completed by. The flag must exist.
func completeFlag(cmd *cobra.Command, name string, complete completer) {
	if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
		panic(err) // a bug: no such flag, or twice
	}
}

// completeWords offers words, and no files.
func completeWords(words ...string) completer {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// completeOneOf completes the values of flags that take one of a few words.
func completeOneOf(cmd *cobra.Command, words map[string][]string) {
	for name, values := range words {
		completeFlag(cmd, name, completeWords(values...))
	}
}

// completeFiles marks flags that name files with one of some extensions, and directories.
func completeFiles(cmd *cobra.Command, extensions map[string][]string, directories ...string) {
	for name, extension := range extensions {
		if err := cmd.MarkFlagFilename(name, extension...); err != nil {
			panic(err) // a bug: no such flag
		}
	}
	for _, name := range directories {
		if err := cmd.MarkFlagDirname(name); err != nil {
			panic(err) // a bug: no such flag
		}
	}
}

// completeExtensions offers files with one of some extensions.
func completeExtensions(extensions ...string) completer {
	return cobra.FixedCompletions(extensions, cobra.ShellCompDirectiveFilterFileExt)
}

// once offers an argument only where none is given yet.
func once(complete completer) completer {
	return func(cmd *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, prefix)
	}
}

// completeCommands offers the subcommands, once.
func completeCommands(cmd *cobra.Command, args []string, _ string) (out []cobra.Completion, _ cobra.ShellCompDirective) {
	for _, c := range cmd.Root().Commands() {
		if len(args) == 0 && c.IsAvailableCommand() {
			out = append(out, cobra.CompletionWithDesc(c.Name(), c.Short))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completePages offers the names of manual pages, once.
func completePages(cmd *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
	out, directive := completeCommands(cmd, args, prefix)
	if len(args) == 0 {
		out = append(out, slices.Sorted(maps.Keys(fixedPages))...)
	}
	return out, directive
}

// valueOf returns the value of a flag, or fallback if the command does not have the flag.
func valueOf(cmd *cobra.Command, name, fallback string) string {
	if f := cmd.Flags().Lookup(name); f != nil {
		return f.Value.String()
	}
	return fallback
}

// recordWord returns a word of a record and a description of it; an empty word is none.
type recordWord func(*record.Record) (word, description string)

// completeRecords offers a word of each record.
func completeRecords(word recordWord) completer {
	return func(cmd *cobra.Command, args []string, _ string) (out []cobra.Completion, _ cobra.ShellCompDirective) {
		list, _ := record.Store{Dir: valueOf(cmd, "dir", names.Records)}.List()
		for _, r := range list {
			text, about := word(r)
			if text == "" || slices.Contains(args, text) {
				continue
			}
			if about != "" {
				text = cobra.CompletionWithDesc(text, about)
			}
			out = append(out, text)
		}
		slices.Sort(out)
		return slices.Compact(out), cobra.ShellCompDirectiveNoFileComp
	}
}

func recordID(r *record.Record) (string, string) {
	return r.ID, inALine(r.Title(), r.ContainerdNamespace, r.ID)
}

func recordPod(r *record.Record) (string, string) {
	return r.PodName, "in namespace " + r.PodNamespace
}
func recordWholePod(r *record.Record) (string, string)     { return r.Title().Pod(), "" }
func recordPodNamespace(r *record.Record) (string, string) { return r.PodNamespace, "" }
func recordContainer(r *record.Record) (string, string) {
	return r.Container, "in pod " + r.Title().Pod()
}
func recordImage(r *record.Record) (string, string) { return r.Image, "" }

// policyOf returns the policy that a command asks, as far as it can be read, and the files
// of its profiles.
func policyOf(cmd *cobra.Command) (*policy.Policy, []string) {
	path := valueOf(cmd, "policy", policy.DefaultPath)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil
	}
	var profiles []string
	p, _ := policy.Parse(path, data, func(name string) (string, []byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), name)
		}
		profiles = append(profiles, name)
		text, err := os.ReadFile(name)
		return name, text, err
	})
	return p, profiles
}

// completeRules offers the names of the policy's rules.
func completeRules(cmd *cobra.Command, _ []string, _ string) (out []cobra.Completion, _ cobra.ShellCompDirective) {
	if p, _ := policyOf(cmd); p != nil {
		for _, r := range p.Rules {
			out = append(out, r.Name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeProfileNames offers the words of a policy that name profiles.
func completeProfileNames(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	out := []cobra.Completion{policy.RuntimeDefault}
	if p, _ := policyOf(cmd); p != nil {
		out = append(out, p.ProfileNames()...)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeProfiles offers RuntimeDefault and the files of the node's profiles. If none
// begins with what is typed, the shell offers files.
func completeProfiles(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	out := []cobra.Completion{cobra.CompletionWithDesc(policy.RuntimeDefault, "containerd's default profile")}
	_, files := policyOf(cmd)
	for _, file := range files {
		out = append(out, cobra.CompletionWithDesc(file, "of the node's policy"))
	}
	return out, cobra.ShellCompDirectiveDefault
}

// completeCapabilities offers the names of capabilities.
func completeCapabilities(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return cap.Known(), cobra.ShellCompDirectiveNoFileComp
}

// completeHandlers offers containerd's runtime handlers.
func completeHandlers(cmd *cobra.Command, _ []string, _ string) (out []cobra.Completion, _ cobra.ShellCompDirective) {
	handlers, _ := install.Handlers(install.Configs{Containerd: valueOf(cmd, "containerd", "")})
	for _, h := range handlers {
		out = append(out, cobra.CompletionWithDesc(h.Name, h.By))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
