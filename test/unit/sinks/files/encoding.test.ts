import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frame4, udpDatagram } from '../../../../samples/make/packets.ts';
import { client, server } from '../../../../samples/make/traffic.ts';
import { Mark } from '../../../../src/packet/mark.ts';
import { Verdict } from '../../../../src/packet/verdict.ts';
import { offlineFiles } from '../../../../src/sinks/files/create.ts';
import { type Encoding, encodingOf } from '../../../../src/sinks/files/encoding.ts';
import { filesDropReasons } from '../../../../src/sinks/files/files-sink.ts';
import { blockOf } from '../../../../src/wire/block.ts';
import { batchOf } from '../../../support/batches.ts';
import { requires } from '../../../support/requires.ts';
import { sinkContext } from '../../../support/sink-context.ts';
import { runWireshark, tsharkFields, withFolder } from '../../../support/tshark.ts';

const frame = frame4(client, server, udpDatagram(1000, 2000, Buffer.from('mirrored')));
const repaired = 'mirrortap: checksum completed; it was not as it arrived';
const late = 'mirrortap: late; packets that belong behind it in its stream stand before it';
const inOrder =
  'Packets of a TCP stream are in the order of their sequence numbers; time stamps are those of arrival.';

/** What is known of a packet, the flags and the comments that its block has. */
const packets = [
  { marks: Mark.none, verdict: Verdict.valid, flags: '', comment: '' },
  { marks: Mark.duplicate, verdict: Verdict.valid, flags: '', comment: '' },
  { marks: Mark.ingress, verdict: Verdict.valid, flags: '0x00000001', comment: '' },
  { marks: Mark.egress, verdict: Verdict.partial, flags: '0x00000202', comment: '' },
  { marks: Mark.repaired, verdict: Verdict.valid, flags: '', comment: repaired },
  { marks: Mark.late | Mark.ingress, verdict: Verdict.partial, flags: '0x00000201', comment: late },
  {
    marks: Mark.late | Mark.repaired | Mark.egress,
    verdict: 0,
    flags: '0x00000002',
    comment: `${repaired},${late}`,
  },
];

function encoded(encoding: Encoding): Buffer {
  const batch = batchOf(packets.map(({ verdict }) => ({ frame, transportVerdict: verdict })));
  const out = blockOf(Buffer.alloc(8192));
  let end = encoding.begin(out.bytes, 0, 1);
  end = encoding.beginInterface(out.bytes, end, 1, 'vni-42');
  expect(end).toBeLessThanOrEqual(encoding.headerBytes('vni-42'));
  for (const [i, { marks }] of packets.entries()) {
    const slot = batch.delivered[i]!;
    batch.marks[slot] = marks;
    const before = end;
    end = encoding.packet(out, end, 0, batch, slot);
    expect(end - before).toBeLessThanOrEqual(encoding.packetOverheadBytes + frame.length);
  }
  return out.bytes.subarray(0, end);
}

test.skipIf(!requires('tshark'))('tshark reads direction, state of the checksum and comments', async () => {
  await withFolder((folder) => {
    const path = join(folder, 'x.pcapng');
    writeFileSync(path, encoded(encodingOf('pcapng', false)));
    const rows = tsharkFields(path, ['frame.packet_flags', 'frame.comment', 'udp.dstport']);
    expect(rows).toEqual(packets.map(({ flags, comment }) => [flags, comment, '2000']));
  });
});

test.skipIf(!requires('capinfos'))('a file whose packets were put in order says so', async () => {
  for (const ordered of [false, true]) {
    await withFolder((folder) => {
      const path = join(folder, 'x.pcapng');
      writeFileSync(path, encoded(encodingOf('pcapng', ordered)));
      expect(runWireshark('capinfos', ['-k', path]).includes(inOrder)).toBe(ordered);
    });
  }
});

test('pcap says nothing of it', () => {
  expect(encoded(encodingOf('pcap', true)).equals(encoded(encodingOf('pcap', false)))).toBe(true);
});

test.skipIf(!requires('capinfos'))('the sink is told by its context', async () => {
  await withFolder(async (folder) => {
    const context = { ...sinkContext(filesDropReasons), ordered: true };
    const sink = offlineFiles({ directory: folder, format: 'pcapng', split: 'lane', force: false }, context);
    await sink.open();
    await sink.write(batchOf([{ frame }]));
    await sink.close();
    expect(runWireshark('capinfos', ['-k', join(folder, 'vni-0.pcapng')])).toContain(inOrder);
  });
});
