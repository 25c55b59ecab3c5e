/**
 * The steps of a packet's way, each alone: a case goes over a block of `BLOCK_PACKETS` packets of inner TCP. What it
 * returns is printed, so that no work can be left out.
 */
import { host } from '../../samples/make/packets.ts';
import * as pcap from '../../src/format/pcap-encoder.ts';
import * as pcapng from '../../src/format/pcapng-encoder.ts';
import type { PacketBatch } from '../../src/packet/batch.ts';
import { Innermost } from '../../src/packet/innermost.ts';
import { Layers } from '../../src/packet/layers.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import { ANALYSIS_TALLY_LENGTH } from '../../src/receive/analysis-tally.ts';
import { decap } from '../../src/receive/decap.ts';
import { FragmentTable } from '../../src/receive/fragment-table.ts';
import { readInner } from '../../src/receive/inner.ts';
import { InnermostReader } from '../../src/receive/innermost.ts';
import { readPlainInner, readPlainOuter } from '../../src/receive/plain.ts';
import { SymmetrySampler } from '../../src/receive/symmetry.ts';
import { allocateSymmetry } from '../../src/receive/symmetry-memory.ts';
import * as checksum from '../../src/wire/checksum.ts';
import { mirroredLoad } from '../support/mirrored-load.ts';
import { batchOf, defaultPorts, makeBench } from '../support/receiving.ts';
import { duplicateCase } from './duplicate-cases.ts';
import { firstPacketsCase, unwantedCase } from './name-cases.ts';
import { flowCase } from './flow-cases.ts';
import { orderCase } from './order-cases.ts';
import { pathCase } from './path-case.ts';
import { tcpCase } from './tcp-cases.ts';

/** Goes over the block once. */
export type Pass = () => number;

export interface MicroCase {
  readonly name: string;
  /** Where the work is done. */
  readonly source: string;
  readonly make: (innerBytes: number) => Pass;
}

const CONNECTIONS = 256;
export const BLOCK_PACKETS: number = 2 * CONNECTIONS;
const FLAGS = pcapng.PacketFlag.checksumNotReady;

export const microCases: readonly MicroCase[] = [
  { name: 'outer headers', source: 'receive/plain.ts', make: outerCase },
  { name: 'decap', source: 'receive/decap.ts', make: decapCase },
  { name: 'inner headers', source: 'receive/plain.ts', make: plainInnerCase },
  { name: 'inner headers of any shape', source: 'receive/inner.ts', make: innerCase },
  { name: 'checksum of the frame', source: 'wire/checksum.ts', make: checksumCase },
  { name: 'packet of the flow', source: 'receive/innermost.ts', make: innermostCase },
  {
    name: 'order, nothing to do',
    source: 'receive/order/resequencer.ts',
    make: (bytes) => orderCase(received(bytes), Infinity),
  },
  {
    name: 'order, a tenth held',
    source: 'receive/order/resequencer.ts',
    make: (bytes) => orderCase(received(bytes), 5),
  },
  { name: 'one flow', source: 'receive/flows/flow-table.ts', make: () => flowCase(1, BLOCK_PACKETS) },
  {
    name: '200,000 flows in random order',
    source: 'receive/flows/flow-table.ts',
    make: () => flowCase(200_000, BLOCK_PACKETS),
  },
  {
    name: 'TCP connections',
    source: 'receive/flows/tcp-tracker.ts',
    make: (bytes) => tcpCase(received(bytes)),
  },
  {
    name: 'names, none wanted',
    source: 'receive/flows/name-finder.ts',
    make: () => unwantedCase(BLOCK_PACKETS),
  },
  {
    name: 'names, first packet of a flow',
    source: 'receive/flows/name-finder.ts',
    make: () => firstPacketsCase(BLOCK_PACKETS),
  },
  {
    name: 'duplicates, none',
    source: 'receive/duplicates.ts',
    make: (bytes) => duplicateCase(received(bytes), 1),
  },
  {
    name: 'duplicates, every second packet',
    source: 'receive/duplicates.ts',
    make: (bytes) => duplicateCase(received(bytes), 2),
  },
  { name: 'symmetry meter', source: 'receive/symmetry.ts', make: symmetryCase },
  { name: 'whole receiver', source: 'receive/receiver.ts', make: receiverCase },
  {
    name: 'whole receiver, flows',
    source: 'app/packet-path.ts',
    make: (bytes) => pathCase(load(bytes), true),
  },
  {
    name: 'the same, segments sent again',
    source: 'app/packet-path.ts',
    make: (bytes) => pathCase(load(bytes), false),
  },
  { name: 'pcapng block', source: 'format/pcapng-encoder.ts', make: pcapngCase },
  { name: 'pcap record', source: 'format/pcap-encoder.ts', make: pcapCase },
];

/** Leaves an object on the heap for each packet: shows that the measurement sees it. */
export const plantedCase: MicroCase = {
  name: 'planted',
  source: 'test/bench/micro-cases.ts',
  make: () => {
    const kept: { at: number }[] = Array.from({ length: BLOCK_PACKETS }, (_, at) => ({ at }));
    return () => {
      for (let i = 0; i < BLOCK_PACKETS; i++) kept[i] = { at: i };
      return kept[BLOCK_PACKETS - 1]?.at ?? 0;
    };
  },
};

function load(innerBytes: number): PacketBatch {
  const [from, to] = [host(1, '10.0.0.1', '2001:db8::1'), host(2, '10.0.0.2', '2001:db8::2')];
  const shape = { innerBytes, connections: CONNECTIONS, vnis: 16, sourcePorts: 128, from, to };
  return batchOf(mirroredLoad(shape).map((bytes) => ({ bytes })));
}

/** A batch that the receiver has been over. */
function received(innerBytes: number): PacketBatch {
  const batch = load(innerBytes);
  makeBench({ maxLanes: 64 }).receiver.process(batch);
  if (batch.deliveredCount !== BLOCK_PACKETS) throw new Error('Not all packets were delivered.');
  return batch;
}

function outerCase(innerBytes: number): Pass {
  const { at, end, view } = load(innerBytes);
  const layers = new Layers();
  return () => {
    let sum = 0;
    for (let slot = 0; slot < BLOCK_PACKETS; slot++) {
      readPlainOuter(view, at[slot]!, end[slot]!, LinkType.ethernet, defaultPorts, layers);
      sum += layers.payloadEnd - layers.payloadAt;
    }
    return sum;
  };
}

function decapCase(innerBytes: number): Pass {
  const { at, end, view, bytes } = load(innerBytes);
  const layers = new Layers();
  readPlainOuter(view, at[0]!, end[0]!, LinkType.ethernet, defaultPorts, layers);
  const payloadAt = layers.payloadAt - at[0]!;
  return () => {
    let sum = 0;
    for (let slot = 0; slot < BLOCK_PACKETS; slot++) {
      layers.payloadAt = at[slot]! + payloadAt;
      layers.payloadEnd = end[slot]!;
      decap(bytes, defaultPorts, layers);
      sum += layers.vni;
    }
    return sum;
  };
}

function plainInnerCase(innerBytes: number): Pass {
  const { frameAt, frameEnd, view } = received(innerBytes);
  const layers = new Layers();
  layers.linkType = LinkType.ethernet;
  return () => {
    let sum = 0;
    for (let slot = 0; slot < BLOCK_PACKETS; slot++) {
      layers.frameAt = frameAt[slot]!;
      layers.frameEnd = frameEnd[slot]!;
      readPlainInner(view, layers);
      sum += layers.protocol;
    }
    return sum;
  };
}

function innerCase(innerBytes: number): Pass {
  const { frameAt, frameEnd, bytes } = received(innerBytes);
  const layers = new Layers();
  layers.linkType = LinkType.ethernet;
  return () => {
    let sum = 0;
    for (let slot = 0; slot < BLOCK_PACKETS; slot++) {
      layers.frameAt = frameAt[slot]!;
      layers.frameEnd = frameEnd[slot]!;
      readInner(bytes, layers);
      sum += layers.protocol;
    }
    return sum;
  };
}

function checksumCase(innerBytes: number): Pass {
  const { frameAt, frameEnd, view } = received(innerBytes);
  return () => {
    let sum = 0;
    for (let slot = 0; slot < BLOCK_PACKETS; slot++) {
      sum += checksum.fold(checksum.sum(view, frameAt[slot]!, frameEnd[slot]!));
    }
    return sum;
  };
}

function symmetryCase(innerBytes: number): Pass {
  const { frameAt, frameEnd, view } = received(innerBytes);
  const layers = new Layers();
  layers.linkType = LinkType.ethernet;
  const sampler = new SymmetrySampler(allocateSymmetry(), 0, false);
  const inner = (slot: number): void => {
    layers.frameAt = frameAt[slot]!;
    layers.frameEnd = frameEnd[slot]!;
    readPlainInner(view, layers);
  };
  return () => {
    let sum = 0;
    for (let slot = 0; slot < BLOCK_PACKETS; slot++) {
      inner(slot);
      sampler.see(view, layers);
      sum += layers.protocol;
    }
    return sum;
  };
}

/** With the inner headers before it, which stand alone above. */
function innermostCase(innerBytes: number): Pass {
  const { frameAt, frameEnd, view, bytes } = received(innerBytes);
  const layers = new Layers();
  layers.linkType = LinkType.ethernet;
  const tally = new Float64Array(ANALYSIS_TALLY_LENGTH);
  const fragments = new FragmentTable({ tally, entries: 4096, timeoutSeconds: 30 });
  const reader = new InnermostReader({ tally, fragments });
  const innermost = new Innermost();
  return () => {
    let sum = 0;
    for (let slot = 0; slot < BLOCK_PACKETS; slot++) {
      layers.frameAt = frameAt[slot]!;
      layers.frameEnd = frameEnd[slot]!;
      readPlainInner(view, layers);
      reader.read(bytes, view, layers, 1, innermost);
      sum += innermost.sourcePort + innermost.wireLen;
    }
    return sum;
  };
}

function receiverCase(innerBytes: number): Pass {
  const batch = load(innerBytes);
  const symmetry = new SymmetrySampler(allocateSymmetry(), 0, false);
  const { receiver } = makeBench({ maxLanes: 64, symmetry });
  return () => {
    receiver.process(batch);
    return batch.deliveredCount;
  };
}

function pcapngCase(innerBytes: number): Pass {
  const batch = received(innerBytes);
  const out = room(batch, pcapng.PACKET_OVERHEAD_BYTES);
  const { seconds, nanoseconds, frameAt, frameEnd, frameWireLen } = batch;
  return () => {
    let next = 0;
    for (let slot = 0; slot < BLOCK_PACKETS; slot++) {
      next = pcapng.packetBlock(
        out,
        next,
        0,
        seconds[slot]!,
        nanoseconds[slot]!,
        batch,
        frameAt[slot]!,
        frameEnd[slot]!,
        frameWireLen[slot]!,
        slot % 16 === 0 ? FLAGS : 0,
      );
    }
    return next;
  };
}

function pcapCase(innerBytes: number): Pass {
  const batch = received(innerBytes);
  const out = room(batch, pcap.RECORD_HEADER_BYTES);
  const { seconds, nanoseconds, frameAt, frameEnd, frameWireLen } = batch;
  return () => {
    let next = 0;
    for (let slot = 0; slot < BLOCK_PACKETS; slot++) {
      next = pcap.packetRecord(
        out,
        next,
        seconds[slot]!,
        nanoseconds[slot]!,
        batch,
        frameAt[slot]!,
        frameEnd[slot]!,
        frameWireLen[slot]!,
      );
    }
    return next;
  };
}

/** Room for a block of packets. */
function room(batch: PacketBatch, overheadBytes: number): { bytes: Buffer; view: DataView } {
  const bytes = Buffer.alloc(batch.bytes.length + BLOCK_PACKETS * overheadBytes);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}
