package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"trialnotary/notary/client"
	"trialnotary/notary/statement"
)

// invited is the invite of one row.
type invited struct {
	file    string
	written bool // now; else it was there
}

// writeInvites writes an invite for each key that is enrolled, named after stream
// and key. One that is there stays; what else has its name is left alone, and the
// name goes on with the beginning of the statement's id.
func (e *enrolments) writeInvites(t *client.Trial, refused map[statement.ID]error) (map[int]invited, error) {
	address := t.Service
	if e.service != "" {
		var err error
		if address, err = client.ParseURL(e.service); err != nil {
			return nil, err
		}
	}
	a, err := t.Authority()
	if err != nil {
		return nil, err
	}
	all := map[int]invited{}
	show, done := e.counter("Written")
	defer done()
	for i, r := range e.rows {
		id := e.ids[r.line]
		if refused[id] != nil {
			continue
		}
		show(i, len(e.rows))
		in, err := t.InviteBy(a, id, address)
		if err != nil {
			return nil, err
		}
		if all[r.line], err = writeInviteIn(e.dir, in, r.key.Name, id); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func writeInviteIn(dir string, in *client.Invite, key string, id statement.ID) (invited, error) {
	b, err := in.Bytes()
	if err != nil {
		return invited{}, err
	}
	name := filepath.Join(dir, inviteName(in.Stream, key))
	for _, file := range []string{name + ".invite", name + "." + id.String()[:8] + ".invite"} {
		err = client.WriteNew(file, b, client.Private)
		if err == nil {
			return invited{file, true}, nil
		}
		if !errors.Is(err, client.ErrExists) {
			return invited{}, err
		}
		if there, rerr := readInvite(file); rerr == nil && there.Grants[0].Note.ID == id {
			return invited{file, false}, nil
		}
	}
	return invited{}, fmt.Errorf("%w; it is not this invite, and was left as it is", err)
}

// inviteName is the stream's name and the key's, which often begins with it.
func inviteName(stream, key string) string {
	if len(key) > len(stream) && key[:len(stream)+1] == stream+"." {
		return key
	}
	if key == stream {
		return stream
	}
	return stream + "." + key
}
