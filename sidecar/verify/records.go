package verify

import "context"

// records looks whether the storage gives all that is kept beside the chain. What it
// says is for others to check.
func (s *stored) records(ctx context.Context, r *Report) {
	for _, err := range s.view.Records(ctx, nil, nil) {
		if err != nil {
			s.unreadable(r, r.Tip, CodeRecords, err)
		}
	}
}
