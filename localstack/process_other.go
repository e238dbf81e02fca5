//go:build !unix

package main

import (
	"errors"
	"os"
	"os/exec"
)

var errHost = errors.New("host mode needs Linux or macOS; use Docker here")

func detach(*exec.Cmd, *os.File) error { return errHost }
func held(*os.File) bool               { return false }
func end(int) error                    { return errHost }
func kill(int) error                   { return errHost }
