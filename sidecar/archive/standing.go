package archive

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	archivev1 "verbatim/proto/verbatim/archive/v1"
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/chain"
)

// Standing is how far a log is archived.
type Standing struct {
	// Location is the archive's URL as it may be shown.
	Location string
	// Manifest is the newest manifest's number, Digest SHA-256 of the object. Digest
	// fixes everything that is archived.
	Manifest uint64
	Digest   chain.Hash
	// First is the offset that the archive begins with: not 0 where the log was pruned
	// before, as the entry at Pruned says.
	First, Pruned uint64
	Through       End
	// LogID is whose log it is; zero where the log itself says it.
	LogID chain.Hash
	// SignedBy is the name of the key whose signature was checked; empty: none was.
	SignedBy string
}

func (b *Bucket) standing(m *sealed) Standing {
	return Standing{
		Location: b.name, Manifest: m.Number, Digest: m.Digest, First: m.first(), Pruned: m.beginning().Cut.PruneOffset,
		Through: m.Through, LogID: m.LogID, SignedBy: m.SignedBy,
	}
}

// keyStanding is where a log keeps how far it is archived.
var keyStanding = []byte("archive/through")

// Through returns how far a log is archived at a URL, by what the log itself keeps:
// all entries from the archive's first to the Offset were read back from there. false: nothing is known to
// be archived there. The network is not asked.
func Through(v *auditlog.View, url string) (Standing, bool, error) {
	value, err := v.Record(keyStanding)
	if err != nil || value == nil {
		return Standing{}, false, err
	}
	var s archivev1.Standing
	if err := proto.Unmarshal(value, &s); err != nil {
		return Standing{}, false, fmt.Errorf("read how far the log is archived: %w: %w", auditlog.ErrDamaged, err)
	}
	if s.GetLocation() != Location(url) {
		return Standing{}, false, nil
	}
	digest, ok := chain.FromBytes(s.GetManifestDigest())
	root, alsoOK := chain.FromBytes(s.GetRoot())
	if !ok || !alsoOK {
		return Standing{}, false, fmt.Errorf("read how far the log is archived: %w: a digest has the wrong length", auditlog.ErrDamaged)
	}
	return Standing{
		Location: s.GetLocation(), Manifest: s.GetManifest(), Digest: digest,
		Through: End{Offset: s.GetOffset(), CheckpointID: s.GetCheckpointId(), Root: root},
	}, true, nil
}

// Keeper keeps records beside the chain: an auditlog.Log.
type Keeper interface {
	KeepSynced(ctx context.Context, records ...auditlog.Record) error
}

// keepStandingSynced returns after it is durable in the log.
func keepStandingSynced(ctx context.Context, k Keeper, s Standing) error {
	value, err := proto.Marshal(&archivev1.Standing{
		Location: s.Location, Manifest: s.Manifest, ManifestDigest: s.Digest[:],
		Offset: s.Through.Offset, CheckpointId: s.Through.CheckpointID, Root: s.Through.Root[:],
	})
	if err != nil {
		return fmt.Errorf("encode how far the log is archived: %w", err)
	}
	return k.KeepSynced(ctx, auditlog.Record{Key: keyStanding, Value: value})
}
