/**
 * Prints what the per-packet path leaves on the heap, in bytes a packet, for decoding, receiving and encoding
 * 1,000,000 packets of the sample that is named: `node … packet-path.ts gwlb.pcap`. Run with `--expose-gc` and a young generation in which all of it would find room, so that nothing is
 * collected between the two readings.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { detectFormat, makeDecoder } from '../../../src/format/detect.ts';
import { PACKET_OVERHEAD_BYTES, packetBlock } from '../../../src/format/pcapng-encoder.ts';
import { PacketBatch } from '../../../src/packet/batch.ts';
import { makeBench } from '../receiving.ts';

const PACKETS = 1_000_000;
const WARM_UP = 300_000;
const folder = join(import.meta.dirname, '../../../samples');
const [name = ''] = process.argv.slice(2);

const file = readFileSync(join(folder, name));
const format = detectFormat(file, 0, file.length);
if (format === undefined) throw new Error(`${name} is no capture.`);
const batch = new PacketBatch(512, Buffer.from(file));
const outBytes = Buffer.alloc(2 * file.length + 512 * PACKET_OVERHEAD_BYTES);
const out = {
  bytes: outBytes,
  view: new DataView(outBytes.buffer, outBytes.byteOffset, outBytes.byteLength),
};
const { receiver } = makeBench({ maxLanes: 64 });

/** Takes the file through all steps until so many packets have passed; each time it begins there is a new decoder. */
function pass(packets: number): void {
  for (let done = 0; done < packets; ) {
    const decoder = makeDecoder(format!);
    let at = 0;
    do {
      batch.clear();
      at = decoder.decode(batch, at, file.length);
      receiver.process(batch);
      encode();
      done += batch.count;
    } while (batch.count === batch.capacity);
  }
}

function encode(): void {
  let at = 0;
  for (let i = 0; i < batch.deliveredCount; i++) {
    const slot = batch.delivered[i]!;
    at = packetBlock(
      out,
      at,
      batch.lane[slot]!,
      batch.seconds[slot]!,
      batch.nanoseconds[slot]!,
      batch,
      batch.frameAt[slot]!,
      batch.frameEnd[slot]!,
      batch.frameWireLen[slot]!,
      0,
    );
  }
}

pass(WARM_UP);
globalThis.gc?.();
const before = process.memoryUsage().heapUsed;
pass(PACKETS);
process.stdout.write(String((process.memoryUsage().heapUsed - before) / PACKETS));
