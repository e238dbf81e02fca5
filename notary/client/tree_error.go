package client

import (
	"errors"
	"io/fs"
	"strings"

	"trialnotary/notary/text"
)

const (
	nothingSealed   = "Nothing was sealed; your files are as they were."
	nothingCompared = "Nothing was compared; your files are as they were."
)

// InputError says in sentences what is wrong with a file or directory, that
// nothing was lost, and what to do.
type InputError struct {
	Path string // as the system names it; "" if it is about no file
	What string // "is a symbolic link": goes on after the path
	Safe string // a sentence: what became of the data
	Do   string // a sentence
	Err  error  // the cause, or nil
}

// Error returns all of it in one line, printable whatever the names hold.
func (e *InputError) Error() string { return e.Sentence() + ". " + e.Safe + " " + e.Do }

// Sentence returns what is wrong, without its full stop and the advice.
func (e *InputError) Sentence() string {
	s := text.Visible(strings.TrimSpace(e.Path + " " + e.What))
	if c := cause(e.Err); c != "" {
		s += " (" + c + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *InputError) Unwrap() error { return e.Err }

// reason returns what is wrong, without path and advice.
func (e *InputError) reason() string {
	if c := cause(e.Err); c != "" {
		return text.Visible(e.What) + " (" + c + ")"
	}
	return text.Visible(e.What)
}

// cause drops what the sentence says already: the operation and the path.
func cause(err error) string {
	if err == nil {
		return ""
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return text.Visible(err.Error())
}
