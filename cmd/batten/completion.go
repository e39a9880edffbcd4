package main

import (
	"embed"
	"flag"
	"fmt"
	"io"
	"strings"
	"text/template"
)

//go:embed completion/*
var completionTemplates embed.FS

// described is a subcommand with its flags, for what is generated of them.
type described struct {
	Name, Args, Summary string
	Flags               []describedFlag
}

type describedFlag struct{ Name, Value, Usage string }

// definitions asks every subcommand for its flags, as -h does.
func definitions() (out []described) {
	for _, c := range commands() {
		i := c.invoke([]string{"-h"}, nil, io.Discard, io.Discard)
		_ = c.run(i) // flag.ErrHelp
		d := described{Name: c.name, Args: c.args, Summary: c.summary}
		i.flags.VisitAll(func(f *flag.Flag) {
			value, usage := flag.UnquoteUsage(f)
			d.Flags = append(d.Flags, describedFlag{f.Name, value, usage})
		})
		out = append(out, d)
	}
	return out
}

// completion prints what a shell completes batten's command line by.
func completion(i *invocation) error {
	if err := i.wants(1, 1); err != nil {
		return err
	}
	shell := i.flags.Arg(0)
	text, err := completionTemplates.ReadFile("completion/" + shell)
	if err != nil {
		return usageError{fmt.Errorf("no completion for %q; there is bash, zsh and fish", shell)}
	}
	// Single quotes end a word in all three shells.
	quote := strings.NewReplacer("'", "", `"`, "", "[", "(", "]", ")", ":", ",", "`", "").Replace
	return template.Must(template.New(shell).Funcs(template.FuncMap{"quote": quote}).Parse(string(text))).Execute(i.stdout, definitions())
}
