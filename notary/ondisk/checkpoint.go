package ondisk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"trialnotary/notary"
)

func (s *Store) checkpointFile() string { return filepath.Join(s.dir, "log", "checkpoint") }

// Checkpoint returns the bytes of log/checkpoint, nil if absent.
func (s *Store) Checkpoint(ctx context.Context) ([]byte, error) {
	if err := s.ready(ctx); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	data, err := s.readCheckpoint()
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return data, nil
}

func (s *Store) readCheckpoint() ([]byte, error) {
	s.replaceMu.RLock()
	defer s.replaceMu.RUnlock()
	data, err := readFile(s.checkpointFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// SwapCheckpoint replaces old (nil: absent) by new, or returns notary.ErrConflict.
// Readers of the file, in any process, see the old bytes or the new ones.
func (s *Store) SwapCheckpoint(ctx context.Context, old, new []byte) error {
	if err := s.swapCheckpoint(ctx, old, new); err != nil {
		return fmt.Errorf("swap checkpoint: %w", explain(err))
	}
	return nil
}

func (s *Store) swapCheckpoint(ctx context.Context, old, new []byte) error {
	if len(new) == 0 {
		return errors.New("the new bytes are empty")
	}
	s.checkpointMu.Lock()
	defer s.checkpointMu.Unlock()
	if err := s.ready(ctx); err != nil {
		return err
	}
	now, err := s.readCheckpoint()
	if err != nil {
		return err
	}
	if !bytes.Equal(now, old) {
		return notary.ErrConflict
	}
	return s.writeReplacing(s.checkpointFile(), new, 0o644)
}

// writeReplacing gives a file new bytes, all at once.
func (s *Store) writeReplacing(path string, data []byte, perm fs.FileMode) error {
	temp, err := s.writeTemp(data, perm)
	if err != nil {
		return err
	}
	s.replaceMu.Lock()
	err = s.disk.replace(temp, path)
	s.replaceMu.Unlock()
	if err != nil {
		s.disk.remove(temp)
		return err
	}
	// ── a loss of power here leaves the old bytes or the new ones
	return s.disk.syncDir(filepath.Dir(path))
}
