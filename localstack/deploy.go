package main

import (
	"context"
	"errors"
)

func (p place) up(ctx context.Context) error   { return errors.Join(p.start(ctx)) }
func (p place) test(ctx context.Context) error { return nil }
