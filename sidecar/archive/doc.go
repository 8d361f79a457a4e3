// Package archive keeps a log's sealed windows in object storage, and makes a log
// out of them again (docs/ARCHIVE-FORMAT.md).
//
// It guarantees:
//   - Only entries whose links were checked go up, through a checkpoint.
//   - An object is never changed, replaced or removed: its name has its digest, or
//     its number, and is taken only once.
//   - What a manifest names was read back and compared before that manifest was
//     written. So a stop at any moment leaves an archive that is whole as far as its
//     newest manifest says, and the next run goes on there.
//   - What Restore gives was checked: every object's size and digest, every link, and
//     the manifests as one chain of hashes. What is missing or differs is an error
//     that names the object.
//   - An archive of another log, or of another history of this one, is refused.
//
// An archive reaches back to offset 0, or to where the log was pruned when it was begun:
// then it has what stays for ever of the part before, and the Prune entry says why. What is kept beside the chain is in it too, as
// far as the caller names it.
//
// It can't tell that the newest manifests were removed, unless the log is there that
// they were made from: whoever owns the storage can do that. Signatures say who wrote
// a manifest, not that there is no newer one. It does not know what a record means, and
// it registers no driver: whoever wires it chooses the kinds of storage.
package archive
