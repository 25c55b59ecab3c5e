import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ledgerBytesDifference, ledgerDifference, type Report } from '../../src/observe/report.ts';
import { pause, startReceive, until } from '../support/appliance.ts';
import { type FlowLine, flowLines, summed } from '../support/flow-lines.ts';
import { recordedTcp } from '../support/recorded-tcp.ts';
import { requires, requiresRoot } from '../support/requires.ts';
import { runWireshark, tsharkFields, withFolder } from '../support/tshark.ts';

/** The appliance with everything that analysis can do at the same time: two sinks that want different things, and flows. */

const frames = recordedTcp().map(({ frame }) => frame);
const VNI = 42;
/** Packets of so many that follow each other are turned round. */
const TURNED = 6;
const PACKETS_A_PAUSE = 60;

function vxlan(frame: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt8(0x08, 0);
  header.writeUIntBE(VNI, 4, 3);
  return Buffer.concat([header, frame]);
}

/** Sends all frames from two mirrored interfaces, each turned round by sixes, at some 20,000 packets a second. */
async function sendBoth(port: number): Promise<void> {
  const sockets = await Promise.all(
    ['127.0.0.1', '127.0.0.3'].map(async (address) => {
      const socket = createSocket('udp4');
      socket.bind(0, address);
      await once(socket, 'listening');
      return socket;
    }),
  );
  for (let first = 0; first < frames.length; first += TURNED) {
    for (const frame of frames.slice(first, first + TURNED).toReversed()) {
      for (const socket of sockets) socket.send(vxlan(frame), port, '127.0.0.1');
    }
    if (first % PACKETS_A_PAUSE === 0) await pause(3);
  }
  await pause(50);
  for (const socket of sockets) socket.close();
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(pcapng|ndjson)$/.test(name))
    .map((name) => join(folder, name));
}

function outOfOrder(folder: string): number {
  const rows = filesBelow(folder).flatMap((file) => tsharkFields(file, ['tcp.analysis.out_of_order']));
  return rows.filter(([mark]) => mark !== '').length;
}

function counted(report: Report, name: string): Partial<Report['sinks'][number]> {
  return report.sinks.find((sink) => sink.name === name) ?? {};
}

test.skipIf(!requires('tshark')).each([...(requiresRoot() ? ['ring'] : []), 'dgram'])('mode %s', (mode) =>
  withFolder(async (folder) => {
    const [ordered, arrived, flows] = ['ordered', 'arrived', 'flows'].map((name) => join(folder, name));
    const receive = await startReceive(
      ordered!,
      'workers=2',
      `listen.mode=${mode}`,
      'analysis.duplicates.detect=on',
      'analysis.order.holdUs=100000',
      'sinks.captures.output.order=flow',
      'sinks.captures.output.duplicates=drop',
      'sinks.arrived.kind=files',
      `sinks.arrived.directory=${arrived}`,
      'sinks.flows.kind=flow-files',
      `sinks.flows.directory=${flows}`,
    );
    await sendBoth(receive.vxlanPort);
    const packets = 2 * frames.length;
    const metrics = async (): Promise<string> => (await fetch(`${receive.url}/metrics`)).text();
    await until('all packets are counted', async () =>
      (await metrics()).includes(`mirrortap_received_packets_total ${packets}`),
    );
    const { finished, report } = await receive.end();
    expect(finished.status).toBe(0);
    expect(finished.stderr).not.toMatch(/"level":"error"/);
    expect(ledgerDifference(report)).toBe(0);
    expect(ledgerBytesDifference(report)).toBe(0);
    expect(report.ledger).toMatchObject({ received: packets, delivered: packets, held: 0, duplicate: 0 });

    // where sockets are not steered, both copies of a packet may come to two workers
    const found = report.lanes[0]?.duplicates ?? 0;
    if (mode === 'ring') expect(found).toBe(frames.length);
    expect(counted(report, 'arrived')).toMatchObject({ written: packets, filtered: 0, pending: 0 });
    expect(counted(report, 'captures')).toMatchObject({
      written: packets - found,
      filtered: found,
      pending: 0,
    });

    const records = filesBelow(flows!).flatMap((file) => flowLines(readFileSync(file, 'utf8')));
    expect(counted(report, 'flows')).toMatchObject({ written: records.length });
    expect(counted(report, 'flows').dropped).toEqual({});
    const total = Object.values(summed(records, () => 'all'))[0]?.[0];
    expect(total).toBe(packets - found);
    const copies = records.reduce(
      (sum: number, { mirrortap }: FlowLine) => sum + (mirrortap.duplicate_packets ?? 0),
      0,
    );
    expect(copies).toBe(found);

    expect(report.lanes[0]?.reordered).toBeGreaterThan(0);
    expect(outOfOrder(arrived!)).toBeGreaterThan(50);
    if (mode === 'ring') expect(outOfOrder(ordered!)).toBeLessThan(outOfOrder(arrived!) / 20);
    for (const file of filesBelow(ordered!)) {
      expect(runWireshark('capinfos', ['-k', file])).toMatch(/order of their sequence numbers/);
    }
  }),
);
