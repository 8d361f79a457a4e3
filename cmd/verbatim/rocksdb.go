package main

// RocksDB and what it needs are linked in, in place of the shared libraries that the
// packages which call them ask for: half of the time in which a query's first result
// comes was the loader's. The linker takes this package's wishes first.

// #cgo LDFLAGS: -Wl,--as-needed -l:librocksdb.a -l:libgflags.a -l:libsnappy.a -l:libbz2.a -l:liblz4.a -l:libzstd.a -l:libz.a -l:libstdc++.a -l:libgcc_eh.a
import "C"
