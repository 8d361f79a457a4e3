import { createServer } from "node:http";
// snippet
import { createHash } from "node:crypto";

// Node's own Math.random takes no seed: each number is a piece of a hash.
function eventOf(headers) {
  const seed = headers["x-verbatim-seed"]; // 64 bits are too many for a Number
  let drawn = 0;
  const random = () => {
    const hash = createHash("sha256").update(`${seed} ${drawn++}`).digest();
    return hash.readUIntBE(0, 6) / 2 ** 48;
  };
  return { at: new Date(Number(headers["x-verbatim-clock-ms"])), random };
}

// end
const server = createServer((request, response) => {
  const { at, random } = eventOf(request.headers);
  response.end(`${at.getTime()} ${random()}`);
});
server.listen(0, "127.0.0.1", () => console.log(`listening 127.0.0.1:${server.address().port}`));
