package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"trialnotary/notary/audit"
	"trialnotary/notary/client"
)

// auditMemory is what an auditor keeps from one audit to the next: the file that --state
// names and, beside it, what was seen. Without a name, nothing.
type auditMemory struct {
	name  string
	state *audit.State
	seen  *audit.Seen
	file  *os.File
	temp  bool // file is gone afterwards
}

// openAuditMemory opens what is kept under that name, or begins anew.
func openAuditMemory(name string) (*auditMemory, error) {
	k := &auditMemory{name: name, state: &audit.State{}}
	if name == "" {
		f, err := os.CreateTemp("", "trialnotary-audit-*")
		if err != nil {
			return nil, &fault{code: exitUsage, err: fmt.Errorf("a temporary file is needed: %w", err), safe: "Nothing was done."}
		}
		k.file, k.temp, k.seen = f, true, audit.NewSeen(f)
		return k, nil
	}
	if err := client.CheckName(name); err != nil {
		return nil, &fault{code: exitUsage, err: err, safe: "Nothing was done.", do: "Choose another name with --state."}
	}
	b, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &fault{code: exitUsage, err: client.Unreadable(name, err), safe: "Nothing was done."}
	}
	if err == nil {
		if k.state, err = audit.ParseState(b); err != nil {
			return nil, k.unusable(err)
		}
	}
	if k.file, err = os.OpenFile(name+".seen", os.O_RDWR|os.O_CREATE, client.Private); err != nil {
		return nil, &fault{code: exitUsage, err: err, safe: "Nothing was done.", do: "Name another place with --state."}
	}
	if k.seen, err = k.state.OpenSeen(k.file); err != nil {
		k.close()
		return nil, k.unusable(err)
	}
	return k, nil
}

func (k *auditMemory) save(s *audit.State) error {
	if k.temp {
		return nil
	}
	return client.Keep(k.name, s.Bytes())
}

func (k *auditMemory) close() {
	k.file.Close()
	if k.temp {
		os.Remove(k.file.Name())
	}
}

// unusable is the error of a state that is of no use.
func (k *auditMemory) unusable(err error) error {
	return &fault{code: exitUsage, err: fmt.Errorf("%s: %w", k.name, err), safe: "This says nothing about the log.",
		do: "To begin anew, name another file with --state; keep this one, which may show what the log once was."}
}

// safe says what an audit that did not end leaves.
func (k *auditMemory) safe() string {
	if k.temp {
		return ""
	}
	return "What was verified before is kept."
}

func (k *auditMemory) again() string {
	if k.temp {
		return "To go on where an audit ended, give it a file: --state FILE"
	}
	return "Run the same command again: it goes on from there."
}
