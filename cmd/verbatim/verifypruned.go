package main

import (
	"verbatim/sidecar/auditlog"
	"verbatim/sidecar/verify"
)

// printPruned says what is not there any more, and what that rests on.
func printPruned(p *printer, r *verify.Report) {
	found := r.Pruned
	if !pruned(r) {
		return
	}
	p.line("pruned           offsets 0 to %d, as the prune entry at %d says: %d entries are gone, %d stay, each in its place",
		found.Cut.Offset-1, found.Cut.PruneOffset, found.Gone, found.Kept)
	p.line("pruned by        %s", found.Policy)
	p.line("pruned root      %s", found.Cut.Root)
	if len(found.ArchiveSHA256) > 0 {
		p.line("archived         %x", found.ArchiveSHA256)
	}
	if !found.Complete {
		p.line("starts           whether all that were before offset %d stayed can't be told: the prune entry doesn't say", found.Cut.Offset)
	}
}

// pruned says whether anything was, as far as that was checked.
func pruned(r *verify.Report) bool { return r.Pruned != nil && r.Pruned.Cut != (auditlog.Cut{}) }

func prunedJSON(found *verify.Pruned) map[string]any {
	return map[string]any{
		"first_offset": found.Cut.Offset, "root": found.Cut.Root.String(), "prune_offset": found.Cut.PruneOffset, "policy": found.Policy,
		"archive_sha256": hexOrNone(found.ArchiveSHA256), "gone": found.Gone, "kept": found.Kept, "complete": found.Complete,
		"not_carried_out": found.NotCarriedOut,
	}
}
