package output

// RefusedHeader says why, in an answer that the sidecar gave in the pipeline's
// place. Such an answer is no output.
const RefusedHeader = "x-verbatim-refused"

// RefusedReplay is its value when the request is in the log already: a replay
// was led back to where its traffic is captured.
const RefusedReplay = "replayed"
