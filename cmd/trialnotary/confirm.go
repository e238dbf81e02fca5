package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
)

// confirm shows what is about to be done to whoever sits at the terminal, and goes
// on only after a yes. Where no one can be asked, as in a script, it goes on.
func (a *app) confirm(s *sheet, question, safe string) error {
	if !a.terminal {
		return nil
	}
	fmt.Fprint(a.prompt, s.lines())
	fmt.Fprintf(a.prompt, "%s Type yes: ", question)
	answer, err := bufio.NewReader(a.in).ReadString('\n')
	if err != nil || strings.TrimSpace(strings.ToLower(answer)) != "yes" {
		return &fault{code: exitUsage, err: errors.New("it was not confirmed"), safe: safe}
	}
	return nil
}
