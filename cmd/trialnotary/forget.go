package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/manifest"
)

// forgetCommand destroys a manifest's secret, and with it the manifest.
func (a *app) forgetCommand() *cobra.Command {
	yes := false
	c := &cobra.Command{
		Use:   "forget MANIFEST --yes",
		Short: "Destroy a manifest, so that a receipt opens nothing any more",
		Long: `Overwrites a manifest and deletes it. Without its secret nobody can tell which files
were sealed: what is in the receipt and in the public log is then as good as random.
This is the site's half of an erasure; the other half is a sealed statement of kind
erasure about what was sealed, after which the operator deletes what the service holds.
It cannot be undone, and the files themselves, which stay where they are, can never be
checked against their receipt again. Copies elsewhere, backups and what was shared among
them, are not reached.`,
		Example: "  trialnotary seal --kind erasure --about export.receipt --reason \"consent withdrawn\"\n  trialnotary forget export.manifest --yes",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.forget(c, args[0], yes)
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "really: it cannot be undone")
	return c
}

func (a *app) forget(c *cobra.Command, name string, yes bool) error {
	b, err := client.ReadFile(name, manifest.MaxSize)
	if err == nil {
		_, err = manifest.Parse(b)
	}
	if err != nil {
		return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", name, err), safe: "Nothing was deleted."}
	}
	if !yes {
		return &fault{code: exitUsage, err: errors.New("this cannot be undone: the files can never be checked against their receipt again"),
			safe: "Nothing was deleted.", do: "If that is what you want: trialnotary forget " + quote(name) + " --yes"}
	}
	if err := destroy(name, int64(len(b))); err != nil {
		return &fault{code: exitUsage, err: err, safe: "The manifest may be there still.", do: "Delete it yourself, or try again as who may write it."}
	}
	if a.json {
		return json.NewEncoder(a.out).Encode(struct {
			Forgotten string `json:"forgotten"`
		}{name})
	}
	fmt.Fprintf(a.out, "FORGOTTEN   %s\n  its receipt   proves that something was sealed, and no longer what\n  copies        backups, and what was shared, are not reached\n", name)
	return nil
}

// destroy overwrites a file and deletes it.
func destroy(name string, size int64) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, size))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Remove(name)
}
