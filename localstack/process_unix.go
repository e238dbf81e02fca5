//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// detach gives cmd a session of its own, so that it outlives the harness and one
// signal reaches what it started, and hands it lock, which stays locked for as long
// as the process lives: a process id alone may by now be somebody else's.
func detach(cmd *exec.Cmd, lock *os.File) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.ExtraFiles = []*os.File{lock}
	return syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// held says whether a process that detach prepared still holds the lock.
func held(lock *os.File) bool {
	err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return errors.Is(err, syscall.EWOULDBLOCK)
}

// end asks a session to stop; kill leaves no choice. One that is gone is no error.
func end(pid int) error  { return tell(pid, syscall.SIGTERM) }
func kill(pid int) error { return tell(pid, syscall.SIGKILL) }

func tell(pid int, s syscall.Signal) error {
	if err := syscall.Kill(-pid, s); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}
