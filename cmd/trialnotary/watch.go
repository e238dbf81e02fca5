package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/text"
)

// watching is how a watch is kept.
type watching struct {
	file    string // invite or trial file
	once    bool
	every   time.Duration
	have    []string // where receipts and pending statements of one's own are
	state   string
	webhook string
	secret  string
}

func (a *app) watchCommand() *cobra.Command {
	var w watching
	c := &cobra.Command{
		Use:   "watch INVITE|TRIAL.trial [--every 5m | --once] [--webhook URL]",
		Short: "Be told of entries in your stream that you did not make",
		Long: `Watches your stream or, with a trial file, all that your key may read: at each look it
proves that nothing was left out and that the past is still the same, and tells of each
entry, once, that is not among the receipts, pending statements and invites below the
directories named with --have. A statement signed with your own key that you did not make
means that your key is in other hands.

If the service shows another past than before, or less of it, that is an alarm: it ends
with exit code 1 and keeps both signed checkpoints, for an auditor to compare with the
log. What was seen is remembered beside the file, under .watched.

With --webhook each message is also sent as JSON, signed as standardwebhooks.com says
with the secret in --secret FILE, which is made if it is not there: give it to the
receiver. A message holds ids alone; it is sent again at the next look until it is
answered with 2xx. Every look is a read that the service writes down.`,
		Example: `  trialnotary watch site-042.invite --have /data/receipts
  trialnotary watch NCT01234567.trial --once --webhook https://example.org/hook --secret hook.secret`,
		Args: args(1, 1, "the invite or the trial file"),
		RunE: func(c *cobra.Command, args []string) error {
			w.file = args[0]
			return a.watch(c, w)
		},
	}
	c.Flags().BoolVar(&w.once, "once", false, "look once and end")
	c.Flags().DurationVar(&w.every, "every", 5*time.Minute, "look this often")
	c.Flags().StringArrayVar(&w.have, "have", []string{"."}, "where your receipts and pending statements are, a `DIR`; may be repeated")
	c.Flags().StringVar(&w.state, "state", "", "`FILE` that remembers what was seen; beside the invite or trial file if not given")
	c.Flags().StringVar(&w.webhook, "webhook", "", "also send messages to this `URL`")
	c.Flags().StringVar(&w.secret, "secret", "", "`FILE` of the secret that signs them")
	a.keyFlag(c, "your key, which may read the streams")
	a.serviceFlag(c, "the notary service, if not the file's")
	a.trustFlag(c, "to verify with, instead of the one you accepted")
	return c
}

func (a *app) watch(c *cobra.Command, w watching) error {
	switch {
	case w.every < time.Second:
		return usageError(c, "looking more often than every second helps nobody", "--every 5m")
	case (w.webhook == "") != (w.secret == ""):
		return usageError(c, "a webhook needs a secret to sign with, and a secret a webhook", "--webhook https://example.org/hook --secret hook.secret")
	}
	if w.state == "" {
		w.state = w.file + ".watched"
	}
	var hook *client.Webhook
	if w.webhook != "" {
		secret, err := a.webhookSecret(w.secret)
		if err == nil {
			hook, err = client.NewWebhook(w.webhook, secret)
		}
		if err != nil {
			return &fault{code: exitUsage, err: err, safe: "Nothing was sent."}
		}
	}
	r, err := a.readable(c, w.file)
	if err != nil {
		return err
	}
	l := &lookout{app: a, cmd: c, watching: w, reader: r, hook: hook}
	if w.once {
		return l.look(c.Context())
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c.SetContext(ctx)
	for {
		if err := l.look(ctx); err != nil && ctx.Err() == nil {
			code := codeOf(err)
			if code != exitService && code != exitPending {
				return err
			}
			// What passes: it is told, and looked at again.
			fmt.Fprintf(a.err, "trialnotary watch: %s; looking again in %s\n", inWords(err), w.every)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(w.every):
		}
	}
}

// webhookSecret reads the secret, or makes it.
func (a *app) webhookSecret(file string) (string, error) {
	b, err := client.ReadFile(file, 1<<10)
	if _, stat := os.Stat(file); errors.Is(stat, fs.ErrNotExist) {
		key := make([]byte, 32)
		rand.Read(key) // never fails
		b = []byte("whsec_" + text.Base64(key) + "\n")
		if err = client.WriteNew(file, b, client.Private); err == nil {
			fmt.Fprintf(a.err, "Made the secret %s. Give it to whoever receives the messages, by a way that nobody else reads.\n", text.Visible(file))
		}
	}
	return strings.TrimSpace(string(b)), err
}

// deliver sends a message, if there is somewhere to send it.
func (l *lookout) deliver(ctx context.Context, m message) error {
	if l.hook == nil {
		return nil
	}
	for _, one := range m.parts() {
		id, body, err := one.bytes()
		if err != nil {
			return err
		}
		if err := l.hook.Send(ctx, id, body); err != nil {
			return &fault{code: exitService, err: err, safe: "What was seen is not forgotten: it is told and sent again at the next look."}
		}
	}
	return nil
}
