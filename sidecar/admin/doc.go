// Package admin serves a log to people and to other processes: gRPC
// (AuditService, health, reflection) and HTTP (/livez, /readyz, /metrics) on one
// port, and the client by which another process of the machine gets a copy of a
// log that is being written.
//
// It guarantees that no call writes to the log but those that say so (AnchorNow,
// AddHold, RemoveHold, PruneNow), and that none of these prunes what the rules of
// retention keep; that a replay goes only where the configuration allows and never
// to what is being recorded; and that header values that carry credentials are
// shown only to who asks for them.
//
// It does not ask who calls, and does not encrypt: whoever reaches the port may
// read the log, and remove its holds. Where it listens is decided by who makes the listener.
package admin
