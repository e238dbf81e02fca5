package main

import (
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"trialnotary/notary/client"
)

// app is what every verb shares: the streams, the clock and the flags that mean
// the same everywhere.
type app struct {
	in       *os.File
	out, err io.Writer
	prompt   io.Writer // where questions go
	terminal bool      // someone is there to be asked
	watched  bool      // and sees progress on err
	color    bool
	now      func() time.Time

	json                bool
	key, service, trust string
	timeout             time.Duration
}

func newApp() *app {
	isTerm := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, prompt: os.Stderr, now: time.Now,
		terminal: isTerm(os.Stdin), watched: isTerm(os.Stderr) && escapes(os.Stderr)}
	if a.terminal && !isTerm(os.Stderr) {
		// What is asked is seen although err goes to a file.
		if tty, err := os.OpenFile(terminalName, os.O_WRONLY, 0); err == nil {
			a.prompt = tty
		}
	}
	a.color = isTerm(os.Stdout) && escapes(os.Stdout) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return a
}

// The groups of the help.
const (
	forSites     = "sites"
	forSponsors  = "sponsors"
	forAnyone    = "anyone"
	forOperators = "operators"
)

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "trialnotary VERB …",
		Short: "Evidence of what a clinical trial had, when, and in which order",
		Long: `trialnotary seals files of a clinical trial: it leaves a receipt beside them with
which anyone can check, offline and for decades, what existed, when, and in which
order. The files never leave the machine; the public log holds a blinded hash.`,
		Example: `  trialnotary keygen --name site-042.jdoe --out jdoe.key
  trialnotary join site-042.invite --key jdoe.key
  trialnotary seal export
  trialnotary verify export.20261122T132900Z.receipt export`,
		SilenceErrors: true, SilenceUsage: true, DisableAutoGenTag: true,
		Version: version(),
		Args:    noVerb,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.DisableFlagsInUseLine, root.SuggestionsMinimumDistance = true, 2
	root.CompletionOptions.DisableDefaultCmd = true // ours has examples
	root.SetVersionTemplate(versionLine())
	root.SetUsageFunc(writeUsage)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.AddGroup(
		&cobra.Group{ID: forSites, Title: "For sites:"},
		&cobra.Group{ID: forSponsors, Title: "For sponsors:"},
		&cobra.Group{ID: forAnyone, Title: "For anyone:"},
		&cobra.Group{ID: forOperators, Title: "For operators:"},
	)
	root.SetHelpCommandGroupID(forAnyone)
	root.SetFlagErrorFunc(badFlag)
	for group, verbs := range map[string][]*cobra.Command{
		forSites:    {a.joinCommand(), a.sealCommand(), a.submitCommand(), a.receiptCommand(), a.withdrawCommand(), a.shareCommand(), a.fetchCommand(), a.watchCommand(), a.quietCommand(), a.forgetCommand()},
		forSponsors: {a.registerCommand(), a.enrolCommand(), a.revokeCommand(), a.succeedCommand(), a.statusCommand(), a.readsCommand(), a.recoverCommand(), a.exportCommand()},
		forAnyone: {a.keygenCommand(), a.verifyCommand(), a.explainCommand(), a.certificateCommand(), a.trustCommand(), a.inspectCommand(), a.historyCommand(), a.absentCommand(), a.timelineCommand(),
			a.auditCommand(), a.renewCommand(), a.mirrorCommand()},
	} {
		for _, v := range verbs {
			v.GroupID = group
			v.DisableFlagsInUseLine = true
			v.Flags().SortFlags = false
			v.Flags().BoolVar(&a.json, "json", false, "print the result as JSON")
			root.AddCommand(v)
		}
	}
	demo, serve, repair, erase, rotate := demoCommand(), serveCommand(), repairCommand(), eraseCommand(), rotateCommand()
	completion, man := completionCommand(), manCommand()
	demo.GroupID, completion.GroupID, man.GroupID = forAnyone, forAnyone, forAnyone
	serve.GroupID, repair.GroupID, erase.GroupID, rotate.GroupID = forOperators, forOperators, forOperators, forOperators
	for _, v := range []*cobra.Command{serve, repair, erase, rotate} {
		v.Flags().BoolVar(&a.json, "json", false, "print the result as JSON")
	}
	root.AddCommand(demo, completion, man, serve, repair, rotate, erase)
	for _, v := range root.Commands() {
		v.DisableFlagsInUseLine = true
		complete(v)
		expandsPatterns(v)
	}
	return root
}

// wantsJSON reports whether a verb that does not know the app was called with --json.
func wantsJSON(c *cobra.Command) bool {
	f := c.Flags().Lookup("json")
	return f != nil && f.Value.String() == "true"
}

func (a *app) keyFlag(c *cobra.Command, what string) {
	c.Flags().StringVar(&a.key, "key", os.Getenv("TRIALNOTARY_KEY"), "`FILE` of "+what+" (TRIALNOTARY_KEY)")
	c.Flags().Lookup("key").DefValue = "" // the environment is no default to print
}

func (a *app) serviceFlag(c *cobra.Command, what string) {
	c.Flags().StringVar(&a.service, "service", os.Getenv("TRIALNOTARY_SERVICE"), "`URL` of "+what+" (TRIALNOTARY_SERVICE)")
	c.Flags().Lookup("service").DefValue = ""
}

func (a *app) trustFlag(c *cobra.Command, what string) {
	c.Flags().StringVar(&a.trust, "trust", os.Getenv("TRIALNOTARY_TRUST"), "trust `FILE` "+what+" (TRIALNOTARY_TRUST)")
	c.Flags().Lookup("trust").DefValue = ""
}

func (a *app) timeoutFlag(c *cobra.Command) {
	c.Flags().DurationVar(&a.timeout, "timeout", 10*time.Minute, "how long to wait for the receipt")
}

// memory is what earlier runs remembered.
func (a *app) memory() (client.Memory, error) {
	return client.OpenMemory(os.Getenv("TRIALNOTARY_CONFIG"))
}

// dial returns a client of the service named by flag or environment, or else of
// the one that a file names.
func (a *app) dial(c *cobra.Command, named string) (*client.Service, error) {
	if a.service != "" {
		named = a.service
	}
	if named == "" {
		return nil, usageError(c, "which service? Name it with --service or in TRIALNOTARY_SERVICE", "--service https://notary.example")
	}
	s, err := client.New(named, a.options())
	if err != nil {
		return nil, &fault{code: exitUsage, err: err, safe: "Nothing was sent."}
	}
	return s, nil
}
