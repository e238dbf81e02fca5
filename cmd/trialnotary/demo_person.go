package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"
)

// program makes a process of this program, which runs a verb.
type program func(ctx context.Context, args ...string) (*exec.Cmd, error)

func ownProgram(ctx context.Context, args ...string) (*exec.Cmd, error) {
	name, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, name, args...), nil
}

// The people of the story; each has a folder of that name.
const (
	operator = "operator"
	sponsor  = "sponsor"
	site701  = "site-701"
	site708  = "site-708"
	board    = "ethics-board"
)

// person runs verbs as one of the people would type them.
type person struct {
	*demo
	name string
}

func (d *demo) person(name string) person { return person{d, name} }

// path returns a path in the person's folder.
func (p person) path(elem ...string) string {
	return filepath.Join(append([]string{p.dir, p.name}, elem...)...)
}

// types shows a command and what it answers; it must end well.
func (p person) types(ctx context.Context, args ...string) error {
	return p.expect(ctx, exitDone, args...)
}

// again does what was shown before for somebody else: of the answer, only the
// first line is shown.
func (p person) again(ctx context.Context, args ...string) error {
	p.prompt(args)
	r, err := p.run(ctx, args)
	if err != nil {
		return err
	}
	if r.Exit != exitDone {
		p.answer(r.Answer)
		return p.unexpected(r, exitDone)
	}
	first, rest, _ := strings.Cut(r.Answer, "\n")
	p.answer(first + "\n")
	if rest != "" {
		p.answer("  …\n")
	}
	return nil
}

// expect shows a command and what it answers, and fails unless the exit code is
// want.
func (p person) expect(ctx context.Context, want int, args ...string) error {
	p.prompt(args)
	r, err := p.run(ctx, args)
	if err != nil {
		return err
	}
	p.answer(r.Answer)
	if r.Exit != want {
		return p.unexpected(r, want)
	}
	return nil
}

func (p person) unexpected(r demoRun, want int) error {
	code := r.Exit
	if code == exitDone {
		code = exitNotVerified // what had to be refused was not
	}
	return &fault{code: code, err: fmt.Errorf("the command of %s, trialnotary %s, ended with exit code %d where %d was expected",
		p.name, strings.Join(quoted(r.Args), " "), r.Exit, want)}
}

// run runs a verb in a process of its own, in the person's folder and with settings
// of their own: what the user of this machine has joined or accepted is neither
// read nor changed.
func (p person) run(ctx context.Context, args []string) (demoRun, error) {
	r := demoRun{Who: p.name, Args: args}
	settings, err := filepath.Abs(p.path("settings"))
	if err != nil {
		return r, err
	}
	cmd, err := p.program(ctx, args...)
	if err != nil {
		return r, err
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	env := []string{"TRIALNOTARY_CONFIG=" + settings}
	for _, v := range cmd.Env {
		if !strings.HasPrefix(v, "TRIALNOTARY_") {
			env = append(env, v)
		}
	}
	var out bytes.Buffer
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = env, p.path(), &out, &out
	begin := time.Now()
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || ctx.Err() != nil) {
		return r, fmt.Errorf("run trialnotary %s: %w", args[0], err)
	}
	r.Exit, r.Seconds, r.Answer = cmd.ProcessState.ExitCode(), time.Since(begin).Seconds(), out.String()
	p.done.Commands = append(p.done.Commands, r)
	return r, nil
}

// prompt shows a command as it is typed in the person's folder.
func (p person) prompt(args []string) {
	fmt.Fprintln(p.out)
	p.command("  "+p.name+"$", append([]string{"trialnotary"}, quoted(args)...))
}

// command shows a command, in several lines if need be. A flag stays on one line
// with its value.
func (d *demo) command(line string, words []string) {
	for i := 0; i < len(words); i++ {
		word := words[i]
		if strings.HasPrefix(word, "--") && i+1 < len(words) && !strings.HasPrefix(words[i+1], "--") {
			i++
			word += " " + words[i]
		}
		if i > 0 && columns(line)+1+columns(word)+2 > d.width {
			d.shade(line+" \\", "1")
			line = "     "
		}
		line += " " + word
	}
	d.shade(line, "1")
}

// answer shows what a command answered, whole, in lines that fit.
func (d *demo) answer(output string) {
	for line := range strings.Lines(output) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, notVerified):
			d.shade("    "+line, "31")
		case strings.HasPrefix(line, verified+" "):
			d.shade("    "+line, "32")
		default:
			d.wrap(line, "    ", hanging(line))
		}
	}
}

// say tells a paragraph.
func (d *demo) say(format string, a ...any) {
	fmt.Fprintln(d.out)
	d.wrap(fmt.Sprintf(format, a...), "  ", 0)
}

// chapter begins a part of the story.
func (d *demo) chapter(number int, title string) {
	fmt.Fprintln(d.out)
	fmt.Fprintln(d.out)
	d.shade(fmt.Sprintf("%d  %s", number, title), "1;36")
}

// shade prints a line in a colour, on a terminal.
func (d *demo) shade(line, color string) {
	if d.color {
		line = "\x1b[" + color + "m" + line + "\x1b[0m"
	}
	fmt.Fprintln(d.out, line)
}

// hanging returns the column in which the text of a row begins: what is too long
// goes on below it.
//
//	bytes      12 of 12 files match
//	           ^
func hanging(line string) int {
	rest := strings.TrimLeft(line, " ")
	lead := len(line) - len(rest)
	if word, after, ok := strings.Cut(rest, "  "); ok && lead > 0 && !strings.Contains(word, " ") {
		return lead + columns(word) + 2 + len(after) - len(strings.TrimLeft(after, " "))
	}
	return lead
}

// wrap prints a line behind an indent, broken between words where it is too long.
// Blanks within it stay as they are.
func (d *demo) wrap(line, indent string, hang int) {
	for {
		room := d.width - columns(indent)
		cut := fit(line, room, hang)
		fmt.Fprintln(d.out, strings.TrimRight(indent+line[:cut], " "))
		line = strings.TrimLeft(line[cut:], " ")
		if line == "" {
			return
		}
		line = strings.Repeat(" ", hang) + line
	}
}

// fit returns where to end a line: behind the last word that fits, or behind the
// first if none does.
func fit(line string, room, hang int) int {
	if columns(line) <= room {
		return len(line)
	}
	cut := 0
	for i := range line {
		if line[i] != ' ' || i <= hang || strings.TrimSpace(line[:i]) == "" {
			continue
		}
		if columns(line[:i]) > room && cut > 0 {
			return cut
		}
		cut = i
	}
	if cut == 0 {
		return len(line)
	}
	return cut
}

func columns(s string) int { return utf8.RuneCountInString(s) }
