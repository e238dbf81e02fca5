package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

const passphraseEnv = "TRIALNOTARY_PASSPHRASE_FILE"

// passphraseFile returns the first line of the file for automation, "" if none is
// named.
func passphraseFile() (string, error) {
	name := os.Getenv(passphraseEnv)
	if name == "" {
		return "", nil
	}
	b, err := client.ReadFile(name, 4096)
	if err != nil {
		return "", &fault{code: exitUsage, err: fmt.Errorf("%s: %w", passphraseEnv, err)}
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", &fault{code: exitUsage, err: fmt.Errorf("%s: the first line of %s is empty", passphraseEnv, name)}
	}
	return line, nil
}

func (a *app) ask(what string) (string, error) {
	fmt.Fprint(a.prompt, text.Visible(what))
	b, err := term.ReadPassword(int(a.in.Fd()))
	fmt.Fprintln(a.prompt)
	return string(b), err
}

// minPassphrase is how many characters a passphrase has at least. Whoever finds the
// key file may guess for ever, and nothing but this stands in their way.
const minPassphrase = 12

const passphraseRule = "A passphrase has at least 12 characters, 5 of them different: four or five words do well."

// weak says what is wrong with a new passphrase, "" if nothing.
func weak(p string) string {
	different := map[rune]bool{}
	for _, r := range p {
		different[r] = true
	}
	switch n := utf8.RuneCountInString(p); {
	case n == 0:
		return "it is empty"
	case n < minPassphrase:
		return fmt.Sprintf("it has %s", count(n, "character"))
	case len(different) < 5:
		return fmt.Sprintf("it has only %s", count(len(different), "different character"))
	}
	return ""
}

// newPassphrase returns the passphrase for a new key: from the file, or asked for
// twice.
func (a *app) newPassphrase() (string, error) {
	const noKey = "No key was made."
	const without = "To make a key without a passphrase, for automation: trialnotary keygen … --no-passphrase"
	p, err := passphraseFile()
	if err != nil {
		return "", err
	}
	if p != "" {
		if w := weak(p); w != "" {
			return "", &fault{code: exitUsage, err: fmt.Errorf("the passphrase in the file that %s names is too weak: %s", passphraseEnv, w), safe: noKey, do: passphraseRule}
		}
		return p, nil
	}
	if !a.terminal {
		return "", &fault{code: exitUsage, err: errors.New("a key is kept under a passphrase, and there is no terminal to ask for one"), safe: noKey,
			do: "Either write the passphrase into a file and name it in " + passphraseEnv + ",\nor make a key without one: trialnotary keygen … --no-passphrase"}
	}
	fmt.Fprintln(a.prompt, passphraseRule)
	for tries := 1; ; tries++ {
		if p, err = a.ask("Passphrase for the new key: "); err != nil {
			return "", kept(err, noKey, without)
		}
		w := weak(p)
		if w == "" {
			break
		}
		if tries == 3 {
			return "", &fault{code: exitUsage, err: errors.New("the passphrase is too weak: " + w), safe: noKey, do: passphraseRule + "\n" + without}
		}
		fmt.Fprintf(a.prompt, "That is too weak: %s. Choose another.\n", w)
	}
	again, err := a.ask("The same once more: ")
	if err == nil && again != p {
		err = &fault{code: exitUsage, err: errors.New("the two passphrases differ"), safe: noKey, do: "Run the same command again."}
	}
	return p, err
}

// readKey reads a key file and leaves it closed.
func (a *app) readKey(c *cobra.Command, name string) (*client.Key, error) {
	if name == "" {
		return nil, usageError(c, "which key is yours? Name its file with --key or in TRIALNOTARY_KEY", "--key "+oneKey("."))
	}
	b, err := client.ReadFile(name, 1<<16)
	if err != nil {
		return nil, err
	}
	k, err := client.ParseKey(b)
	if err != nil {
		if half, ok := strings.CutSuffix(name, ".pub"); ok {
			return nil, &fault{code: exitUsage, err: fmt.Errorf("%s is the public half of a key, and the private one is needed", name), safe: "Nothing was done.", do: "Name it: --key " + quote(half)}
		}
		return nil, wrongFile(name, b, kindOf(client.KeyVersion), err)
	}
	return k, nil
}

// oneKey returns the key file in a directory, if there is one alone.
func oneKey(dir string) string {
	names, err := filepath.Glob(filepath.Join(dir, "*.key"))
	if err != nil || len(names) != 1 {
		return "NAME.key"
	}
	return quote(names[0])
}

// openKey returns the private key of a key file.
func (a *app) openKey(k *client.Key, name string) (statement.PrivateKey, error) {
	if !k.Locked {
		return k.Open("")
	}
	p, err := passphraseFile()
	if err != nil {
		return statement.PrivateKey{}, err
	}
	if p == "" && !a.terminal {
		return statement.PrivateKey{}, &fault{code: exitUsage,
			err: fmt.Errorf("the key %s is under a passphrase, and there is no terminal to ask for it", name),
			do:  "Either run this in a terminal, or write the passphrase into a file and name it in " + passphraseEnv + "."}
	}
	for tries := 1; ; tries++ {
		given := p
		if given == "" {
			if given, err = a.ask(fmt.Sprintf("Passphrase of %s (%s): ", name, k.Public.Name)); err != nil {
				return statement.PrivateKey{}, err
			}
		}
		open, err := k.Open(given)
		if err == nil {
			return open, nil
		}
		if !errors.Is(err, client.ErrPassphrase) || p != "" || tries == 3 {
			return statement.PrivateKey{}, &fault{code: exitUsage, err: fmt.Errorf("%s: %w", name, err), safe: "Nothing was signed."}
		}
		fmt.Fprintln(a.prompt, "That is not it.")
	}
}

// namesFile reports whether a VKEY argument is meant as a file: a key is
// name+hash+base64.
func namesFile(s string) bool { return strings.Count(s, "+") < 2 }

// verifierKey parses a VKEY argument: the key itself, or a file that holds it.
func verifierKey(s string) (statement.PublicKey, error) {
	if strings.HasPrefix(s, "PRIVATE+") {
		return statement.PublicKey{}, &fault{code: exitUsage, err: errors.New("that is a private key; it belongs to its holder alone"), safe: "Nothing was done.",
			do: "Give the verifier key, which is in the file that ends with .pub. Whoever saw the private one should replace it."}
	}
	k, err := statement.ParsePublicKey(s)
	if err == nil {
		return k, nil
	}
	b, ferr := client.ReadFile(s, 4096)
	switch {
	case ferr == nil:
		b, _ = text.Outer(b)
		if k, ferr = statement.ParsePublicKey(strings.TrimSpace(string(b))); ferr == nil {
			return k, nil
		}
		f := &fault{code: exitUsage, err: fmt.Errorf("%s does not hold a verifier key", s), safe: "Nothing was done.", do: "keygen writes it to the file whose name ends with .pub"}
		if strings.HasPrefix(string(b), client.KeyVersion+"\n") {
			f = &fault{code: exitUsage, err: fmt.Errorf("%s is a private key; it belongs to its holder alone", s), safe: "Nothing was done.", do: "Give the verifier key, which is in " + s + ".pub. If the private one was sent to you, its holder should make another."}
		}
		return k, f
	case namesFile(s):
		f := &fault{code: exitUsage, err: ferr, safe: "Nothing was done."}
		if missing, ok := errors.AsType[*client.FileError](ferr); ok {
			f.do = nearby(missing)
		}
		return k, f
	}
	return k, &fault{code: exitUsage, err: err, safe: "Nothing was done.", do: "A verifier key looks like site-042.jdoe+4665f3df+Af3fqrbw…: keygen prints it and writes it to the file that ends with .pub"}
}
