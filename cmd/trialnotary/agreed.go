package main

import (
	"errors"
	"fmt"
)

// agreed shows what is about to be done to whoever sits at the terminal, and goes
// on only after a yes. Where no one can be asked, as in a script, it goes on.
func (a *app) agreed(s *sheet, question, safe string) error {
	if !a.terminal {
		return nil
	}
	fmt.Fprint(a.prompt, s.lines())
	ok, err := a.yes(question + " [y/N] ")
	if err == nil && !ok {
		err = &fault{code: exitUsage, err: errors.New("you did not answer yes"), safe: safe}
	}
	return err
}
