// A service that was not written for verbatim: it takes the time from the system.
import { createServer } from "node:http";

const totals = new Map();

const server = createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request) text += chunk;
  const { meter_id, kwh } = JSON.parse(text);
  totals.set(meter_id, (totals.get(meter_id) ?? 0) + kwh);
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({
    meter_id,
    total_kwh: totals.get(meter_id),
    received_ms: Date.now(),
    day: new Date().toISOString().slice(0, 10),
  }));
});
server.listen(0, "127.0.0.1", () => console.log(`listening 127.0.0.1:${server.address().port}`));
