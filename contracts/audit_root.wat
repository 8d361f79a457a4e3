;; audit_root keeps the roots of audit logs in public.
;;
;; A log is known by 32 bytes, its id, and has one writer, an address. The writer commits checkpoints: an id, a root hash
;; and the log's own time for it. Their ids only grow, and what is stored is never changed or deleted: there is no function
;; for it, and nobody stands above the writers. README.md beside this file has the interface in tables.
;;
;; The file has one section for each idea:
;;
;;   Values             how the host and a contract speak to each other
;;   Host functions     what is imported
;;   Tags               values taken apart and put together
;;   Errors             their numbers, and how the contract fails
;;   Memory             what lies where
;;   Arguments          checks, before anything else is done
;;   Keys               where things are stored
;;   Log, Root          the two things that are stored
;;   Lifetimes          how long the network keeps them
;;   Events             what is published
;;   Functions          the interface
;;
;; Only the first version of WebAssembly is used. The sections that describe the interface to tools are not written here: the
;; program in assemble appends them to the assembled module.

(module

;; ---- Values --------------------------------------------------------------------------------------------------------
;;
;; Every argument and every result is one i64, a Val. Its low byte is a tag, the other 56 bits are the body:
;;
;;   tag   kind        body
;;     2   Void        0. It also stands for None
;;     3   Error       the error's number << 24 | its type, where type 0 is a contract's own error
;;     4   U32         the number << 24
;;     6   U64 small   the number, below 2^56
;;    14   Symbol      up to 9 characters of 6 bits each: _ is 1, 0 to 9 follow, then A to Z, then a to z
;;    64   U64         handle of an object: a number from 2^56 on
;;    72   Bytes       handle of an object
;;    75   Vec         handle of an object
;;    76   Map         handle of an object
;;    77   Address     handle of an object
;;
;; A handle means something only while the call lasts. What it refers to is with the host and does not change. The host
;; checks that a handle has the tag of its object, not that an argument has the tag that a contract expects.
;;
;; In a few places an i64 is no Val: obj_to_u64 and obj_cmp give a plain number, and the storage type is one.

;; ---- Host functions ------------------------------------------------------------------------------------------------
;;
;; Modules and functions have short names; the long ones are the host's own. All are there since protocol 22 or before.

;; context.obj_cmp(a, b) -> i64: 0 when both are equal in content
(import "x" "0" (func $obj_cmp (param i64 i64) (result i64)))
;; context.contract_event(topics: Vec, data) -> Void
(import "x" "1" (func $contract_event (param i64 i64) (result i64)))
;; context.get_ledger_sequence() -> U32: the number of the ledger that this call goes into
(import "x" "3" (func $get_ledger_sequence (result i64)))
;; context.get_ledger_timestamp() -> U64: when that ledger closed, in seconds since 1970
(import "x" "4" (func $get_ledger_timestamp (result i64)))
;; context.fail_with_error(error: Error) -> never: ends the call and undoes all that it did
(import "x" "5" (func $fail_with_error (param i64) (result i64)))
;; int.obj_to_u64(object: U64) -> u64
(import "i" "0" (func $obj_to_u64 (param i64) (result i64)))
;; map.map_new_from_linear_memory(names, values, count: U32) -> Map: names as under Memory, in ascending order
(import "m" "9" (func $map_new_from_linear_memory (param i64 i64 i64) (result i64)))
;; map.map_unpack_to_linear_memory(map, names, values, count: U32) -> Void: fails when the map has other names
(import "m" "a" (func $map_unpack_to_linear_memory (param i64 i64 i64 i64) (result i64)))
;; vec.vec_new_from_linear_memory(values, count: U32) -> Vec
(import "v" "g" (func $vec_new_from_linear_memory (param i64 i64) (result i64)))
;; ledger.put_contract_data(key, value, storage type) -> Void
(import "l" "_" (func $put_contract_data (param i64 i64 i64) (result i64)))
;; ledger.has_contract_data(key, storage type) -> Bool
(import "l" "0" (func $has_contract_data (param i64 i64) (result i64)))
;; ledger.get_contract_data(key, storage type) -> the value: fails when there is none
(import "l" "1" (func $get_contract_data (param i64 i64) (result i64)))
;; ledger.extend_contract_data_ttl(key, storage type, threshold, extend to: U32) -> Void
(import "l" "7" (func $extend_contract_data_ttl (param i64 i64 i64 i64) (result i64)))
;; ledger.extend_current_contract_instance_and_code_ttl(threshold, extend to: U32) -> Void
(import "l" "8" (func $extend_current_contract_instance_and_code_ttl (param i64 i64) (result i64)))
;; buf.bytes_len(bytes: Bytes) -> U32
(import "b" "8" (func $bytes_len (param i64) (result i64)))
;; address.require_auth(address: Address) -> Void: fails unless the address authorized this call with these arguments
(import "a" "0" (func $require_auth (param i64) (result i64)))

;; ---- Tags ----------------------------------------------------------------------------------------------------------

(global $tag_u64_small i32 (i32.const 6))
(global $tag_u64 i32 (i32.const 64))
(global $tag_bytes i32 (i32.const 72))
(global $tag_address i32 (i32.const 77))

(func $tag (param $value i64) (result i32)
  (i32.and (i32.wrap_i64 (local.get $value)) (i32.const 0xff)))

;; The Val of a U32. The host takes positions and lengths in memory as such.
(func $u32 (param $number i32) (result i64)
  (i64.or (i64.shl (i64.extend_i32_u (local.get $number)) (i64.const 32)) (i64.const 4)))

(global $void i64 (i64.const 2))

;; ---- Errors --------------------------------------------------------------------------------------------------------

(global $AlreadyOpen i32 (i32.const 1))
(global $NotOpen i32 (i32.const 2))
(global $RootDiffers i32 (i32.const 3))
(global $IdNotIncreasing i32 (i32.const 4))
(global $NotProposed i32 (i32.const 5))
(global $BadLogId i32 (i32.const 6))
(global $BadWriter i32 (i32.const 7))
(global $BadCheckpointId i32 (i32.const 8))
(global $BadRootHash i32 (i32.const 9))
(global $BadTimestamp i32 (i32.const 10))

;; Ends the call with one of the errors above. A function that returns an Error has the same effect for its caller, but then
;; every function on the way would have to pass it on; this way a check that failed cannot be forgotten.
(func $fail (param $error i32)
  (drop (call $fail_with_error
    (i64.or (i64.shl (i64.extend_i32_u (local.get $error)) (i64.const 32)) (i64.const 3))))
  (unreachable))

;; ---- Memory --------------------------------------------------------------------------------------------------------
;;
;; The host reads and writes maps and vectors through memory. A map's names are a row of pairs, the position and the length
;; of a name, 4 bytes each; its values are a row of Vals in the same order. Every call starts with a fresh memory.

(memory (export "memory") 1)

;; The names, one after the other.
(data (i32.const 0x00)
  "checkpoint_id" ;; at 0x00
  "closed_at"     ;; at 0x0d
  "ledger"        ;; at 0x16
  "root_hash"     ;; at 0x1c
  "timestamp"     ;; at 0x25
  "latest"        ;; at 0x2e
  "proposed"      ;; at 0x34
  "writer")       ;; at 0x3c

;; The names of a Root.
(global $root_names i32 (i32.const 0x50))
(global $root_fields i32 (i32.const 5))
(data (i32.const 0x50)
  "\00\00\00\00" "\0d\00\00\00"  ;; checkpoint_id
  "\0d\00\00\00" "\09\00\00\00"  ;; closed_at
  "\16\00\00\00" "\06\00\00\00"  ;; ledger
  "\1c\00\00\00" "\09\00\00\00"  ;; root_hash
  "\25\00\00\00" "\09\00\00\00") ;; timestamp

;; The names of a Log. The last one serves by itself for the events that tell a writer.
(global $log_names i32 (i32.const 0x80))
(global $log_fields i32 (i32.const 3))
(global $writer_name i32 (i32.const 0x90))
(data (i32.const 0x80)
  "\2e\00\00\00" "\06\00\00\00"  ;; latest
  "\34\00\00\00" "\08\00\00\00"  ;; proposed
  "\3c\00\00\00" "\06\00\00\00") ;; writer

;; The values of the current Root: the one that was read last, or that is about to be stored.
(global $root i32 (i32.const 0xa0))
(global $root.checkpoint_id i32 (i32.const 0xa0))
(global $root.closed_at i32 (i32.const 0xa8))
(global $root.ledger i32 (i32.const 0xb0))
(global $root.root_hash i32 (i32.const 0xb8))
(global $root.timestamp i32 (i32.const 0xc0))

;; The values of the current Log, likewise.
(global $log i32 (i32.const 0xd0))
(global $log.latest i32 (i32.const 0xd0))   ;; a Root, or Void before the first commit
(global $log.proposed i32 (i32.const 0xd8)) ;; an Address, or Void
(global $log.writer i32 (i32.const 0xe0))   ;; an Address

;; Room for a vector of up to three values.
(global $vec i32 (i32.const 0xf0))

(func $vec_of_2 (param $a i64) (param $b i64) (result i64)
  (i64.store (global.get $vec) (local.get $a))
  (i64.store offset=8 (global.get $vec) (local.get $b))
  (call $vec_new_from_linear_memory (call $u32 (global.get $vec)) (call $u32 (i32.const 2))))

(func $vec_of_3 (param $a i64) (param $b i64) (param $c i64) (result i64)
  (i64.store (global.get $vec) (local.get $a))
  (i64.store offset=8 (global.get $vec) (local.get $b))
  (i64.store offset=16 (global.get $vec) (local.get $c))
  (call $vec_new_from_linear_memory (call $u32 (global.get $vec)) (call $u32 (i32.const 3))))

;; ---- Arguments -----------------------------------------------------------------------------------------------------
;;
;; Each check fails with the error of its argument. The tag comes first: bytes_len and obj_to_u64 fail in the host's own
;; way when they are given another kind of object.

;; Bytes, exactly 32 of them.
(func $check_bytes_32 (param $value i64) (param $error i32)
  (if (i32.ne (call $tag (local.get $value)) (global.get $tag_bytes))
    (then (call $fail (local.get $error))))
  (if (i64.ne (call $bytes_len (local.get $value)) (call $u32 (i32.const 32)))
    (then (call $fail (local.get $error)))))

(func $check_log_id (param $log_id i64)
  (call $check_bytes_32 (local.get $log_id) (global.get $BadLogId)))

;; An account's or a contract's address; one with a multiplexed account's id in it has another tag, and is refused.
(func $check_writer (param $writer i64)
  (if (i32.ne (call $tag (local.get $writer)) (global.get $tag_address))
    (then (call $fail (global.get $BadWriter)))))

;; The number that a U64 has, small or object. The whole range is allowed.
(func $u64 (param $value i64) (param $error i32) (result i64)
  (if (i32.eq (call $tag (local.get $value)) (global.get $tag_u64_small))
    (then (return (i64.shr_u (local.get $value) (i64.const 8)))))
  (if (i32.ne (call $tag (local.get $value)) (global.get $tag_u64))
    (then (call $fail (local.get $error))))
  (call $obj_to_u64 (local.get $value)))

(func $checkpoint_id (param $value i64) (result i64)
  (call $u64 (local.get $value) (global.get $BadCheckpointId)))

;; ---- Keys ----------------------------------------------------------------------------------------------------------
;;
;; DataKey::Log(log_id) is the vector [Log, log_id], DataKey::Root(log_id, checkpoint_id) is [Root, log_id, checkpoint_id].
;; A U64 object with a number below 2^56, which another contract can make, is the same key as the small one.

(global $symbol_Log i64 (i64.const 0x17d2c0e))
(global $symbol_Root i64 (i64.const 0x774d390e))

(func $log_key (param $log_id i64) (result i64)
  (call $vec_of_2 (global.get $symbol_Log) (local.get $log_id)))

(func $root_key (param $log_id i64) (param $checkpoint_id i64) (result i64)
  (call $vec_of_3 (global.get $symbol_Root) (local.get $log_id) (local.get $checkpoint_id)))

;; Of the three storage types, 0 temporary, 1 persistent and 2 the contract's instance, only one is used.
(global $persistent i64 (i64.const 1))

(func $is_stored (param $key i64) (result i32)
  (i32.wrap_i64 (call $has_contract_data (local.get $key) (global.get $persistent))))

(func $stored (param $key i64) (result i64)
  (call $get_contract_data (local.get $key) (global.get $persistent)))

;; Stores a value and makes it last.
(func $store (param $key i64) (param $value i64)
  (drop (call $put_contract_data (local.get $key) (local.get $value) (global.get $persistent)))
  (drop (call $extend_contract_data_ttl
    (local.get $key) (global.get $persistent) (call $u32 (global.get $threshold)) (call $u32 (global.get $extend_to)))))

;; ---- Log -----------------------------------------------------------------------------------------------------------

;; Makes the stored Log the current one, or fails.
(func $load_log (param $log_id i64)
  (local $key i64)
  (local.set $key (call $log_key (local.get $log_id)))
  (if (i32.eqz (call $is_stored (local.get $key)))
    (then (call $fail (global.get $NotOpen))))
  (drop (call $map_unpack_to_linear_memory
    (call $stored (local.get $key))
    (call $u32 (global.get $log_names)) (call $u32 (global.get $log)) (call $u32 (global.get $log_fields)))))

;; Stores the current Log. Every function that writes comes through here, so the contract itself is made to last here too.
(func $store_log (param $log_id i64)
  (call $store
    (call $log_key (local.get $log_id))
    (call $map_new_from_linear_memory
      (call $u32 (global.get $log_names)) (call $u32 (global.get $log)) (call $u32 (global.get $log_fields))))
  (drop (call $extend_current_contract_instance_and_code_ttl
    (call $u32 (global.get $threshold)) (call $u32 (global.get $extend_to)))))

;; Fails unless the writer of the current Log authorized this call.
(func $require_writer
  (drop (call $require_auth (i64.load (global.get $log.writer)))))

;; ---- Root ----------------------------------------------------------------------------------------------------------

;; Makes a Root the current one.
(func $unpack_root (param $map i64)
  (drop (call $map_unpack_to_linear_memory
    (local.get $map)
    (call $u32 (global.get $root_names)) (call $u32 (global.get $root)) (call $u32 (global.get $root_fields)))))

;; The current Root as a map.
(func $pack_root (result i64)
  (call $map_new_from_linear_memory
    (call $u32 (global.get $root_names)) (call $u32 (global.get $root)) (call $u32 (global.get $root_fields))))

;; Whether the checkpoint's id is new: the first of the current Log, or above its latest one. As every stored id was the
;; latest once, a new one is not stored.
(func $is_new (param $checkpoint_id i64) (result i32)
  (if (i64.eq (i64.load (global.get $log.latest)) (global.get $void))
    (then (return (i32.const 1))))
  (call $unpack_root (i64.load (global.get $log.latest)))
  (i64.gt_u
    (call $checkpoint_id (local.get $checkpoint_id))
    (call $checkpoint_id (i64.load (global.get $root.checkpoint_id)))))

;; Fails unless the checkpoint is stored with this root hash.
(func $require_same (param $key i64) (param $root_hash i64)
  (if (i32.eqz (call $is_stored (local.get $key)))
    (then (call $fail (global.get $IdNotIncreasing))))
  (call $unpack_root (call $stored (local.get $key)))
  (if (i64.ne (call $obj_cmp (local.get $root_hash) (i64.load (global.get $root.root_hash))) (i64.const 0))
    (then (call $fail (global.get $RootDiffers)))))

;; ---- Lifetimes -----------------------------------------------------------------------------------------------------
;;
;; The network archives an entry whose lifetime, counted in ledgers, is over; anyone can have it restored. Logs are kept
;; for 120 days, 2,073,600 ledgers of 5 seconds. What has less left when it is written is extended to 135 days, so that not
;; every commit pays for it. The host extends what has the threshold left or less.

(global $threshold i32 (i32.const 2073599))
(global $extend_to i32 (i32.const 2332800))

;; ---- Events --------------------------------------------------------------------------------------------------------
;;
;; The topics of an event are its name and the log's id.

(global $symbol_opened i64 (i64.const 0xd35ab3aa90e))
(global $symbol_committed i64 (i64.const 0x28d32caee79aa90e))
(global $symbol_proposed i64 (i64.const 0xd77d35d38aa90e))
(global $symbol_accepted i64 (i64.const 0x9a8a2ad79aa90e))

(func $publish (param $name i64) (param $log_id i64) (param $data i64)
  (drop (call $contract_event
    (call $vec_of_2 (local.get $name) (local.get $log_id))
    (local.get $data))))

;; Publishes the map {writer}, with the address that is in a field of the current Log.
(func $publish_writer (param $name i64) (param $log_id i64) (param $field i32)
  (call $publish
    (local.get $name)
    (local.get $log_id)
    (call $map_new_from_linear_memory
      (call $u32 (global.get $writer_name)) (call $u32 (local.get $field)) (call $u32 (i32.const 1)))))

;; ---- Functions -----------------------------------------------------------------------------------------------------

;; open(log_id: BytesN<32>, writer: Address)
(func (export "open") (param $log_id i64) (param $writer i64) (result i64)
  (call $check_log_id (local.get $log_id))
  (call $check_writer (local.get $writer))
  (drop (call $require_auth (local.get $writer)))
  (if (call $is_stored (call $log_key (local.get $log_id)))
    (then (call $fail (global.get $AlreadyOpen))))

  (i64.store (global.get $log.latest) (global.get $void))
  (i64.store (global.get $log.proposed) (global.get $void))
  (i64.store (global.get $log.writer) (local.get $writer))
  (call $store_log (local.get $log_id))
  (call $publish_writer (global.get $symbol_opened) (local.get $log_id) (global.get $log.writer))
  (global.get $void))

;; commit(log_id: BytesN<32>, checkpoint_id: u64, root_hash: BytesN<32>, timestamp: u64)
;;
;; A checkpoint that is stored already, with the same root hash, is accepted and changes nothing: a client that does not
;; know whether its first attempt arrived may try again.
(func (export "commit")
  (param $log_id i64) (param $checkpoint_id i64) (param $root_hash i64) (param $timestamp i64) (result i64)
  (local $key i64)
  (local $root i64)
  (call $check_log_id (local.get $log_id))
  (drop (call $checkpoint_id (local.get $checkpoint_id)))
  (call $check_bytes_32 (local.get $root_hash) (global.get $BadRootHash))
  (drop (call $u64 (local.get $timestamp) (global.get $BadTimestamp)))
  (call $load_log (local.get $log_id))
  (call $require_writer)

  (local.set $key (call $root_key (local.get $log_id) (local.get $checkpoint_id)))
  (if (i32.eqz (call $is_new (local.get $checkpoint_id)))
    (then
      (call $require_same (local.get $key) (local.get $root_hash))
      (return (global.get $void))))

  (i64.store (global.get $root.checkpoint_id) (local.get $checkpoint_id))
  (i64.store (global.get $root.closed_at) (call $get_ledger_timestamp))
  (i64.store (global.get $root.ledger) (call $get_ledger_sequence))
  (i64.store (global.get $root.root_hash) (local.get $root_hash))
  (i64.store (global.get $root.timestamp) (local.get $timestamp))
  (local.set $root (call $pack_root))
  (call $store (local.get $key) (local.get $root))
  (i64.store (global.get $log.latest) (local.get $root))
  (call $store_log (local.get $log_id))
  (call $publish (global.get $symbol_committed) (local.get $log_id) (local.get $root))
  (global.get $void))

;; latest(log_id: BytesN<32>) -> Option<Root>
(func (export "latest") (param $log_id i64) (result i64)
  (call $check_log_id (local.get $log_id))
  (call $load_log (local.get $log_id))
  (i64.load (global.get $log.latest)))

;; get(log_id: BytesN<32>, checkpoint_id: u64) -> Option<Root>
(func (export "get") (param $log_id i64) (param $checkpoint_id i64) (result i64)
  (local $key i64)
  (call $check_log_id (local.get $log_id))
  (drop (call $checkpoint_id (local.get $checkpoint_id)))
  (call $load_log (local.get $log_id))
  (local.set $key (call $root_key (local.get $log_id) (local.get $checkpoint_id)))
  (if (i32.eqz (call $is_stored (local.get $key)))
    (then (return (global.get $void))))
  (call $stored (local.get $key)))

;; propose(log_id: BytesN<32>, writer: Address)
;;
;; The first step of handing a log over. A later proposal takes the place of an earlier one.
(func (export "propose") (param $log_id i64) (param $writer i64) (result i64)
  (call $check_log_id (local.get $log_id))
  (call $check_writer (local.get $writer))
  (call $load_log (local.get $log_id))
  (call $require_writer)

  (i64.store (global.get $log.proposed) (local.get $writer))
  (call $store_log (local.get $log_id))
  (call $publish_writer (global.get $symbol_proposed) (local.get $log_id) (global.get $log.proposed))
  (global.get $void))

;; accept(log_id: BytesN<32>)
;;
;; The second step, with the proposed writer's authorization: an address that nobody has the key of never becomes a writer.
(func (export "accept") (param $log_id i64) (result i64)
  (call $check_log_id (local.get $log_id))
  (call $load_log (local.get $log_id))
  (if (i64.eq (i64.load (global.get $log.proposed)) (global.get $void))
    (then (call $fail (global.get $NotProposed))))
  (drop (call $require_auth (i64.load (global.get $log.proposed))))

  (i64.store (global.get $log.writer) (i64.load (global.get $log.proposed)))
  (i64.store (global.get $log.proposed) (global.get $void))
  (call $store_log (local.get $log_id))
  (call $publish_writer (global.get $symbol_accepted) (local.get $log_id) (global.get $log.writer))
  (global.get $void))
)
