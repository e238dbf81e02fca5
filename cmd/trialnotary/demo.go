package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// demoDir is the directory of a demo that is given none; further ones get a number.
const demoDir = "trialnotary-demo"

// demoPatience is how long the story may take. It takes about ten seconds; what
// takes this long hangs.
const demoPatience = 3 * time.Minute

// demoCommand is the whole story on sample data.
func demoCommand() *cobra.Command { return newDemoCommand(ownProgram) }

func newDemoCommand(program program) *cobra.Command {
	var dir, listen string
	var keep, asJSON bool
	c := &cobra.Command{
		Use:   "demo [--dir DIR] [--serve]",
		Short: "See the whole story on sample trial data, in a minute",
		Long: `Plays the whole story on this machine, with real commands on real sample data: a
service is started, a trial registered, two sites enrolled; a protocol, an analysis
plan, datasets and a database lock are sealed; the service is stopped; an ethics
board verifies from files alone; and an altered file and an altered receipt are
refused. Every command is shown as you would type it, with what it answered.

Everything is in DIR, by default a new directory here. Nothing else on this machine
is read or changed, and nothing leaves it. Exit code 0: the story went as told.`,
		Example: `  trialnotary demo
  trialnotary demo --dir story --serve`,
		Args: args(0, 0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := chooseDemoDir(c, dir)
			if err != nil {
				return err
			}
			d := &demo{out: c.OutOrStdout(), width: 80, dir: dir, program: program, listen: listen, keep: keep, begin: time.Now()}
			if asJSON {
				d.out = io.Discard
			} else if f, ok := d.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
				d.color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
				if columns, _, err := term.GetSize(int(f.Fd())); err == nil {
					d.width = min(max(columns, 60), 100)
				}
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			err = d.run(ctx)
			if asJSON {
				return d.encode(c.OutOrStdout(), err, func() error { return d.keepServing(ctx) })
			}
			if err != nil {
				return err
			}
			return d.keepServing(ctx)
		},
	}
	c.Flags().SortFlags = false
	c.Flags().StringVar(&dir, "dir", "", "directory for everything, new or empty (default ./"+demoDir+")")
	c.Flags().BoolVar(&keep, "serve", false, "keep the service running afterwards, until Ctrl-C")
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "address of the service; port 0 is any free one")
	c.Flags().BoolVar(&asJSON, "json", false, "print what was done, and what came out, as JSON")
	return c
}

// chooseDemoDir returns a directory that is not there or is empty.
func chooseDemoDir(c *cobra.Command, dir string) (string, error) {
	if dir == "" {
		return freeDir(demoDir), nil
	}
	dir = filepath.Clean(dir)
	there, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(there) == 0 {
		return dir, nil
	}
	f := &fault{code: exitUsage, err: fmt.Errorf("%s is not empty", dir), safe: "Nothing in it was touched.",
		do: "Choose a new one: " + c.CommandPath() + " --dir " + quote(freeDir(dir+"-2"))}
	if err != nil {
		f.err = fmt.Errorf("%s exists and is not a directory that can be read", dir)
	}
	return "", f
}

// freeDir returns the first of name, name-2, name-3, … that is not there.
func freeDir(name string) string {
	free := name
	for n := 2; exists(free) == nil; n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	return free
}

// demo is one telling of the story.
type demo struct {
	out     io.Writer
	width   int // columns
	color   bool
	dir     string // as its user would write it
	listen  string
	keep    bool // serve afterwards
	program program
	begin   time.Time

	server *server
	done   demoDone
}

// demoDone is what came of the story, for machines.
type demoDone struct {
	Dir         string        `json:"dir"`
	Service     string        `json:"service,omitempty"`
	Trial       string        `json:"trial"`
	Fingerprint string        `json:"trial_fingerprint,omitempty"`
	Trust       string        `json:"trust_fingerprint,omitempty"`
	Commands    []demoRun     `json:"commands"`
	Receipts    []demoReceipt `json:"receipts"`
	Seconds     float64       `json:"seconds"`
	Error       string        `json:"error,omitempty"`
	Exit        int           `json:"exit"`
}

// demoRun is one command of the story.
type demoRun struct {
	Who     string   `json:"who"`
	Args    []string `json:"args"`
	Exit    int      `json:"exit"`
	Seconds float64  `json:"seconds"`
	Answer  string   `json:"answer"`
}

// demoReceipt is a receipt as the ethics board found it.
type demoReceipt struct {
	File    string `json:"file"`
	Verdict string `json:"verdict"`
	Kind    string `json:"kind"`
	Stream  string `json:"stream"`
	Index   uint64 `json:"index"`
}

// run tells the story. However it ends, the service is stopped.
func (d *demo) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	err := d.story(ctx)
	if stop := d.stop(); err == nil {
		err = stop
	}
	d.done.Seconds = time.Since(d.begin).Seconds()
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		err = errors.New("stopped before the end of the story")
	case ctx.Err() != nil:
		err = fmt.Errorf("the story did not end within %s: %w", demoPatience, err)
	}
	code := codeOf(err)
	if code == exitDone {
		code = exitUsage
	}
	return &fault{code: code, err: err, safe: "The demo ends here. What it made is in " + d.dir + ".", do: hint(err)}
}

// encode prints what was done, then goes on if all went well.
func (d *demo) encode(out io.Writer, err error, goOn func() error) error {
	if err != nil {
		d.done.Error, d.done.Exit = err.Error(), codeOf(err)
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d.done); err != nil {
		return err
	}
	if err != nil {
		return shown{codeOf(err)}
	}
	return goOn()
}
