/**
 * A server's hot path to be killed: stores deliveries for ever, eight at a time, and prints the uuid of each one when
 * it is acknowledged. Usage: acknowledge.ts <database> <life>
 */
import { systemClock } from "../../clock.ts";
import { createDeliveryWriter } from "../deliveries.ts";
import { openDatabase } from "../open.ts";
import { delivery } from "./seed.ts";

const [url = "", life = ""] = process.argv.slice(2);
const writer = createDeliveryWriter(await openDatabase(url, { clock: systemClock }));

let next = 0;
async function send(): Promise<never> {
  for (;;) {
    // Each is sent twice, as a forge does that had no answer.
    const uuid = `${life}-${Math.floor(next++ / 2)}`;
    await writer.add(delivery({ uuid, body: new TextEncoder().encode(uuid) }));
    process.stdout.write(`${uuid}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, send));
