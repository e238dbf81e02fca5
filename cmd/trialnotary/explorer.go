package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// clicked is a start from the Windows Explorer: by a double click, or by a file that
// was dropped onto the program. Its window closes with the program, so it waits.
type clicked struct {
	by  bool // whether it was
	in  io.Reader
	out io.Writer
}

// start returns the words that the program goes on with; false if there is nothing
// but to explain.
func (c clicked) start(args []string) ([]string, bool) {
	if !c.by {
		return args, true
	}
	if len(args) == 0 {
		fmt.Fprint(c.out, `trialnotary is a program that one types, in a window like this one.

  1  In the Explorer, open the folder with the files of your trial.
  2  Click into the address bar at its top, type  cmd  and press Enter.
  3  In the window that opens, type what you want done:

       trialnotary --help             all there is
       trialnotary demo               the whole story, on sample data
       trialnotary seal export        seal the folder "export"
       trialnotary verify a.receipt   check a receipt

If Windows does not find "trialnotary" there, copy trialnotary.exe into that folder.
A receipt that is dropped onto trialnotary.exe with the mouse is checked.
`)
		return nil, false
	}
	for _, a := range args {
		if _, err := os.Lstat(a); err != nil {
			return args, true // not files that were dropped
		}
	}
	verb := "inspect"
	if strings.HasSuffix(strings.ToLower(args[0]), ".receipt") {
		verb = "verify"
	}
	if verb == "inspect" && len(args) > 1 {
		fmt.Fprintln(c.out, "Drop one file at a time; or a receipt together with the files it is of, the receipt first.")
		return nil, false
	}
	return append([]string{verb}, args...), true
}

// end keeps the window open until its text was read.
func (c clicked) end() {
	if c.by {
		fmt.Fprint(c.out, "\nPress Enter to close this window. ")
		_, _ = bufio.NewReader(c.in).ReadString('\n') // a window that is closed is closed
	}
}
