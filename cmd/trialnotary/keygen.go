package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

func (a *app) keygenCommand() *cobra.Command {
	var name, out string
	var plain bool
	c := &cobra.Command{
		Use:   "keygen --name NAME --out FILE",
		Short: "Make a key to sign with",
		Long: `Make a key of one person or one system. The private key stays in FILE, under a
passphrase, and never leaves the machine; FILE.pub and the line printed are for the
sponsor, who enrols the key. Read the fingerprint to them over the telephone.`,
		Example: `  trialnotary keygen --name site-042.jdoe --out jdoe.key`,
		Args:    args(0, 0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case name == "":
				return usageError(c, "the key needs a name", "--name site-042.jdoe")
			case out == "":
				return usageError(c, "where is the key to be written?", "--out jdoe.key")
			}
			return a.keygen(name, out, plain)
		},
	}
	c.Flags().StringVar(&name, "name", "", "`NAME` of the key: a–z, 0–9 and . _ -, as in site-042.jdoe")
	c.Flags().StringVar(&out, "out", "", "`FILE` of the private key, created; FILE.pub gets the public half")
	c.Flags().BoolVar(&plain, "no-passphrase", false, "keep the private key in the open, for automation")
	return c
}

func (a *app) keygen(name, out string, plain bool) error {
	const noKey = "No key was made."
	k, err := statement.GenerateKey(name)
	if err != nil {
		return &fault{code: exitUsage, err: fmt.Errorf("%q cannot name a key", text.Visible(name)), safe: noKey,
			do: "A name is 1 to 64 of a–z, 0–9 and, after the first, . _ - as in site-042.jdoe; it is public for ever."}
	}
	for _, f := range []string{out, out + ".pub"} {
		if _, err := os.Lstat(f); err == nil {
			return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", f, client.ErrExists), safe: noKey, do: "Choose another name with --out."}
		}
	}
	if err := client.CheckName(out); err != nil {
		return &fault{code: exitUsage, err: err, safe: noKey, do: "Choose another name with --out."}
	}
	if err := client.Writable(filepath.Dir(out)); err != nil {
		return &fault{code: exitUsage, err: err, safe: noKey, do: "Name another place with --out."}
	}
	passphrase := ""
	if !plain {
		if passphrase, err = a.newPassphrase(); err != nil {
			return err
		}
	}
	file, err := client.NewKey(k, passphrase)
	if err != nil {
		return err
	}
	b, err := file.Bytes()
	if err != nil {
		return err
	}
	pub := k.Public()
	if err = client.WriteNew(out, b, client.Private); err == nil {
		if err = client.WriteNew(out+".pub", []byte(pub.String()+"\n"), client.Public); err != nil {
			os.Remove(out) // written just now, and of no use without its public half
		}
	}
	if err != nil {
		return &fault{code: exitUsage, err: err, safe: noKey, do: "Make room there, or name another place with --out."}
	}
	s := &sheet{word: "KEY", head: pub.Name}
	s.add("verifier", "%s", pub)
	s.more("give this line, or %s.pub, to the sponsor", out)
	s.add("to read", "%s", pub.Fingerprint())
	s.more("read this to them over the telephone")
	if plain {
		s.add("private", "%s, in the open: whoever can read it can sign", out)
	} else {
		s.add("private", "%s, under your passphrase; neither can be recovered", out)
	}
	return a.print(s, struct {
		Name        string `json:"name"`
		Verifier    string `json:"verifier_key"`
		Fingerprint string `json:"fingerprint"`
		Key         string `json:"key"`
		Public      string `json:"public"`
		Passphrase  bool   `json:"passphrase"`
	}{pub.Name, pub.String(), pub.Fingerprint(), text.Visible(out), text.Visible(out + ".pub"), !plain})
}
