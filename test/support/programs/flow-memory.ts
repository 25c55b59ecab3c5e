/**
 * Prints what a flow table with room for 1,000,000 flows does to the memory of the process: `node --expose-gc flow-memory.ts`.
 * A line of JSON, bytes.
 */
import { NOT_DUPLICATE } from '../../../src/receive/flows/flow-table.ts';
import { FlowFeed } from '../flow-feed.ts';

const FLOWS = 1_000_000;
/** Few enough that what they could leave fits into the young generation, and is not collected before it is counted. */
const PACKETS = 300_000;
const FIRST_CLIENT = 0x0a00_0000;

const resident = (): number => {
  globalThis.gc?.();
  return process.memoryUsage.rss();
};

const before = resident();
let records = 0;
const feed = new FlowFeed({ maxFlows: FLOWS, gaps: FLOWS / 4, emit: () => void records++ });
const idle = resident();

const { table, batch, layers, innermost } = feed;
feed.write({});
function see(client: number): number {
  batch.view.setInt32(innermost.sourceAt, FIRST_CLIENT + client);
  return table.see(batch, 0, layers, innermost, 0, NOT_DUPLICATE);
}
for (let client = 0; client < FLOWS; client++) see(client);
const full = resident();
const active = table.active;

function again(packets: number): number {
  let sum = 0;
  for (let i = 0; i < packets; i++) sum = (sum + see((i * 7919) % FLOWS)) | 0;
  return sum;
}
let sum = again(PACKETS);
globalThis.gc?.();
const heap = process.memoryUsage().heapUsed;
sum += again(PACKETS);
const left = process.memoryUsage().heapUsed - heap;

process.stdout.write(
  JSON.stringify({
    idle: idle - before,
    full: full - before,
    active,
    records,
    heapPerPacket: left / PACKETS,
    sum,
  }),
);
