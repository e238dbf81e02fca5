package main

import "context"

// handover is what an operator sends once the stack has new keys: {"handover": {}}, or
// with "stolen" where the old keys shall not sign.
type handover struct {
	Stolen bool `json:"stolen"`
}

// handedOver is the answer. The new trust file is at /trust from then on:
//
//	{"size": 70321, "cross_signed": true}
type handedOver struct {
	Size    uint64 `json:"size"`
	Crossed bool   `json:"cross_signed"`
}

// handOver seals what is waiting under the old keys and gives the log to the new
// ones. The same event again answers the same.
func (s *sealer) handOver(ctx context.Context, h handover) (*handedOver, error) {
	k, err := s.app.HandOver(ctx, h.Stolen)
	if err != nil {
		s.app.Log.Error("the log was not handed over; the same event goes on", "error", err)
		return nil, err
	}
	crossed, err := k.Handover.Verify(k)
	if err != nil {
		return nil, err
	}
	s.app.Log.Info("handed over", "size", k.Until, "crossed", crossed)
	return &handedOver{k.Until, crossed}, nil
}
