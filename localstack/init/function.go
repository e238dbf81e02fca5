package main

import (
	"os"
	"os/exec"
)

// function is one process of the function's bootstrap.
type function struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has
}

// state says how it ended.
func (f *function) state() *os.ProcessState { <-f.ended; return f.cmd.ProcessState }

// spawn starts the bootstrap. What it prints goes to output and to the next event's logs.
func (e *environment) spawn() (*function, error) {
	cmd := exec.Command(e.bootstrap)
	cmd.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+e.api)
	cmd.Stdout = printer{e}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	f := &function{cmd: cmd, ended: make(chan struct{})}
	e.mu.Lock()
	e.running = f
	e.mu.Unlock()
	go func() {
		_ = cmd.Wait() // state tells
		close(f.ended)
	}()
	return f, nil
}

// current is the function's process, or nil if it has ended.
func (e *environment) current() *function {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running != nil {
		select {
		case <-e.running.ended:
			e.running = nil
		default:
		}
	}
	return e.running
}

// stop kills the function's process, as Lambda does, and waits for its end.
func (e *environment) stop() {
	if f := e.current(); f != nil {
		_ = f.cmd.Process.Kill() // it may have ended by itself
		<-f.ended
	}
}

// printer takes what the function prints.
type printer struct{ e *environment }

func (p printer) Write(b []byte) (int, error) {
	p.e.mu.Lock()
	defer p.e.mu.Unlock()
	p.e.said.Write(b)
	return p.e.output.Write(b)
}

// printed is what the function printed since it was last asked.
func (e *environment) printed() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.said.String()
	e.said.Reset()
	return s
}

// take notes the event that the function is about to work on.
func (e *environment) take(ev event) { e.mu.Lock(); e.hand = ev; e.mu.Unlock() }

// inHand says whether id is the event the function works on.
func (e *environment) inHand(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hand.ID == id
}
