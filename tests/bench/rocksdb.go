package bench

// RocksDB is linked as it is into the program (cmd/verbatim/rocksdb.go): calls into a
// shared library take longer. A package that both import does not do: the linker takes
// the wishes of the packages that call RocksDB before its own.

// #cgo LDFLAGS: -Wl,--as-needed -l:librocksdb.a -l:libgflags.a -l:libsnappy.a -l:libbz2.a -l:liblz4.a -l:libzstd.a -l:libz.a -l:libstdc++.a -l:libgcc_eh.a
import "C"
