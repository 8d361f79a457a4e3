// Reads an audit_root contract with Stellar's own JavaScript SDK and nothing of verbatim: its interface, its events and what
// it stores. Prints one JSON object. 64-bit numbers are printed as strings.
//
// usage: node read.mjs RPC_URL PASSPHRASE CONTRACT LOG_ID_IN_HEX CHECKPOINT_ID...
import { Address, contract, rpc, scValToNative, xdr } from "@stellar/stellar-sdk";

const [rpcUrl, networkPassphrase, contractId, logHex, ...ids] = process.argv.slice(2);
const logId = Buffer.from(logHex, "hex");
const server = new rpc.Server(rpcUrl, { allowHttp: true });
const client = await contract.Client.from({ contractId, networkPassphrase, rpcUrl, allowHttp: true });

const plain = (_, value) => {
  if (typeof value === "bigint") return value.toString();
  if (value?.type === "Buffer") return Buffer.from(value.data).toString("hex");
  return value;
};

const typeName = (type) => {
  switch (type.switch().name) {
    case "scSpecTypeBytesN":
      return `BytesN<${type.bytesN().n()}>`;
    case "scSpecTypeOption":
      return `Option<${typeName(type.option().valueType())}>`;
    case "scSpecTypeUdt":
      return type.udt().name().toString();
    default:
      return type.switch().name.replace("scSpecType", "");
  }
};

const functions = client.spec.funcs().map((f) => ({
  name: f.name().toString(),
  inputs: f.inputs().map((i) => `${i.name()}: ${typeName(i.type())}`),
  outputs: f.outputs().map(typeName),
}));

const errors = client.spec.errorCases().map((e) => ({ name: e.name().toString(), number: e.value() }));

const eventsDescribed = client.spec.entries
  .filter((e) => e.switch().name === "scSpecEntryEventV0")
  .map((e) => ({
    name: e.eventV0().name().toString(),
    topics: e.eventV0().prefixTopics().map(String),
    params: e.eventV0().params().map((p) => `${p.name()}: ${typeName(p.type())}`),
  }));

// What the contract published for this log, of all that are still known.
const published = async () => {
  const { oldestLedger } = await server.getHealth();
  const topics = [["*", xdr.ScVal.scvBytes(logId).toXDR("base64")]];
  const { events } = await server.getEvents({
    startLedger: oldestLedger,
    filters: [{ type: "contract", contractIds: [contractId], topics }],
    limit: 100,
  });
  return events.map((e) => ({ topics: e.topic.map(scValToNative), data: scValToNative(e.value), ledger: e.ledger }));
};

const stored = async (...key) => {
  const value = xdr.ScVal.scvVec(key);
  const entry = await server.getContractData(Address.fromString(contractId), value, rpc.Durability.Persistent);
  return scValToNative(entry.val.contractData().val());
};

const bytes = xdr.ScVal.scvBytes(logId);
const roots = {};
const got = {};
for (const id of ids) {
  const number = xdr.ScVal.scvU64(new xdr.Uint64(BigInt(id)));
  roots[id] = await stored(xdr.ScVal.scvSymbol("Root"), bytes, number);
  got[id] = (await client.get({ log_id: logId, checkpoint_id: BigInt(id) })).result;
}

// A log that nobody opened: the SDK finds the error's sentence in the interface.
const unknown = (await client.latest({ log_id: Buffer.alloc(32, 7) })).result.unwrapErr().message;

const result = {
  functions,
  errors,
  eventsDescribed,
  events: await published(),
  log: await stored(xdr.ScVal.scvSymbol("Log"), bytes),
  roots,
  got,
  latest: (await client.latest({ log_id: logId })).result,
  unknown,
};
console.log(JSON.stringify(result, plain, 2));
