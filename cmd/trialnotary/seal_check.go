package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trialnotary/notary/client"
	"trialnotary/notary/receipt"
	"trialnotary/notary/statement"
	"trialnotary/notary/text"
)

// check refuses what cannot become a statement, before anything is hashed.
func (s *sealing) check(c *cobra.Command) error {
	kind := statement.Kind(s.kind)
	bad := func(what, do string) error {
		return &fault{code: exitUsage, err: errors.New(what), safe: "Nothing was sealed.", do: do}
	}
	if !sealable(kind) {
		do := "The kinds: " + sealKinds()
		switch kind {
		case statement.KindRegistration:
			do = "To open a trial: trialnotary register"
		case statement.KindEnrolment, statement.KindRevocation, statement.KindSuccession:
			do = "Keys have verbs of their own: trialnotary enrol, revoke, succeed"
		}
		return bad(fmt.Sprintf("%q is not a kind that is sealed", s.kind), do)
	}
	allowed, required := kind.Content()
	switch {
	case len(s.paths) == 0 && required:
		return bad("no file or directory was named", "For example: trialnotary seal export")
	case len(s.paths) > 0 && !allowed:
		return bad(fmt.Sprintf("a statement of kind %s is about no files", kind), "Leave the paths away; say what it is about with --about.")
	case s.invite != "" && s.trial != "", s.invite != "" && s.stream != "", s.trial != "" && s.stream != "":
		return bad("--invite, --stream and --trial exclude each other", "At a site name the invite or the stream, as the sponsor the trial.")
	case s.signer != "" && s.meaning == "":
		return bad("a signer's name needs what the signature stands for", "Add --meaning authorship, review, approval or responsibility.")
	case s.meaning != "" && !statement.Meaning(s.meaning).Known():
		return bad(fmt.Sprintf("%q is not a meaning of a signature", s.meaning), "Write --meaning authorship, review, approval or responsibility.")
	case s.supersedes != "" && s.reason == "":
		return bad("what replaces another says why", `Add --reason "two rows were missing".`)
	case inText(s.label) != "":
		return bad("the label "+inText(s.label), "Give a label of at most 200 bytes, typed and not pasted.")
	case inText(s.reason) != "":
		return bad("the reason "+inText(s.reason), "Give a reason of at most 200 bytes, typed and not pasted.")
	case s.dryRun && (s.noWait || s.offline):
		return bad("--dry-run sends nothing; --no-wait and --offline have no meaning with it", "")
	case s.as != "" && !slices.Contains(asForms, s.as):
		return bad(fmt.Sprintf("%q is no form of what is named", s.as), "Write --as "+strings.Join(asForms, ", --as ")+", or nothing.")
	case s.as != "" && len(s.paths) == 0, s.sums && len(s.paths) == 0:
		return bad("--as and --sums are about files, and none is named", "For example: trialnotary seal export --sums")
	case s.offline && s.after:
		return bad("--after asks the log for its newest checkpoint, and --offline forbids to", "Leave one of them away.")
	}
	return nil
}

// inText says what is wrong with a line of free text, "" if nothing.
func inText(s string) string {
	switch i := text.IndexForbidden(s, false); {
	case i >= 0:
		return fmt.Sprintf("%q has a character that is not to be seen, or turns the direction of writing", text.Visible(s))
	case len(s) > 200:
		return fmt.Sprintf("has %d bytes, 200 are allowed", len(s))
	case s != strings.TrimSpace(s):
		return fmt.Sprintf("%q begins or ends with a blank", s)
	}
	return ""
}

// statement builds the statement, but for dataset, after, time and salt.
func (s *sealing) statement() (*statement.Statement, error) {
	n := &statement.Statement{Log: s.from.log, Trial: s.from.trial, StreamName: s.from.stream, StreamSalt: s.from.salt,
		Kind: statement.Kind(s.kind), Label: s.label, Meaning: statement.Meaning(s.meaning), Signer: s.signer, Reason: s.reason}
	if n.Meaning != "" && n.Signer == "" {
		if n.Signer = s.from.person; n.Signer == "" {
			return nil, &fault{code: exitUsage, err: errors.New("whose signature is it? The key was enrolled without a person's name"), safe: "Nothing was sealed.", do: `Add --signer "Jane Doe".`}
		}
	}
	if s.from.person != "" && n.Signer != "" && n.Signer != s.from.person {
		return nil, &fault{code: exitUsage, err: fmt.Errorf("the key was enrolled for %q, and %q is to sign", s.from.person, n.Signer), safe: "Nothing was sealed.",
			do: "Each person signs with their own key; leave --signer away to sign as " + s.from.person + "."}
	}
	if s.supersedes != "" {
		id, err := statementID(s.supersedes)
		if err != nil {
			return nil, err
		}
		n.Supersedes = &id
	}
	for _, ref := range s.about {
		id, err := statementID(ref)
		if err != nil {
			return nil, err
		}
		n.About = append(n.About, id)
	}
	return n, nil
}

// statementID parses a statement id, or takes it out of a receipt.
func statementID(s string) (statement.ID, error) {
	if id, err := statement.ParseID(s); err == nil {
		return id, nil
	}
	b, err := client.ReadFile(s, 2*receipt.MaxSize)
	if err != nil {
		return statement.ID{}, &fault{code: exitUsage, err: fmt.Errorf("%q is neither a statement id, 64 hex digits, nor a receipt that can be read: %w", s, err), safe: "Nothing was sealed."}
	}
	r, _, err := receipt.ParseOuter(b)
	if err == nil {
		var n *statement.Note
		if n, err = statement.Parse(r.Statement); err == nil {
			return n.ID, nil
		}
	}
	return statement.ID{}, &fault{code: exitUsage, err: fmt.Errorf("%s: %w", s, err), safe: "Nothing was sealed."}
}
