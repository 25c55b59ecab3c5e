import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { detectFormat, makeDecoder } from '../../../../src/format/detect.ts';
import { run, verify } from '../../../support/bpf-machine.ts';
import { decodeAll } from '../../../support/decoding.ts';
import { requires } from '../../../support/requires.ts';
import { root } from '../../../support/source-files.ts';

const samples = ['traffic.pcapng', 'gwlb.pcap', 'vxlan-sessions.pcapng'];

/** Together they make tcpdump use loads of every width and kind, both kinds of operand, and all comparisons. */
const expressions = [
  'udp dst port 4789',
  'ip[0] & 0xf != 5 or udp port 6081',
  'tcp[tcpflags] & (tcp-syn|tcp-fin) != 0',
  'ip[2:2] > 100 and ip[8] <= 64',
  '(ip[12:4] ^ ip[16:4]) % 3 == 1',
  'len - ip[2:2] * 2 + (ip[4:2] << 2) > (ether[12:2] >> 3) / 5',
  'ip6 proto 17 and ip6[4:2] > 60',
  'less 100 or (vlan and udp)',
  'ip[len - 20] > 9',
  '-ip[9] & 7 == 2 | 1',
];

function packets(stream: Buffer): string[] {
  const decoder = makeDecoder(detectFormat(stream, 0, stream.length) ?? 'pcap');
  return decodeAll(decoder, stream).packets.map(({ data }) => data);
}

function tcpdump(args: readonly string[], input: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync('tcpdump', ['-r', '-', ...args], {
    input,
    maxBuffer: 1 << 26,
  });
  expect([status, status === 0 ? '' : stderr.toString()]).toEqual([0, '']);
  return stdout;
}

/** What `tcpdump -ddd` prints: the number of instructions, then code, jt, jf and k of each. */
function programOf(text: string): Uint8Array {
  const [, ...lines] = text.trim().split('\n');
  const bytes = Buffer.alloc(8 * lines.length);
  for (const [index, line] of lines.entries()) {
    const [code = 0, jt = 0, jf = 0, k = 0] = line.split(' ').map(Number);
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(jt, 8 * index + 2);
    bytes.writeUInt8(jf, 8 * index + 3);
    bytes.writeUInt32LE(k, 8 * index + 4);
  }
  return bytes;
}

test.skipIf(!requires('tcpdump')).each(expressions)(
  'the tests’ machine and tcpdump choose the same: %s',
  (expression) => {
    for (const sample of samples) {
      const stream = readFileSync(join(root, 'samples', sample));
      const program = programOf(tcpdump(['-ddd', '--', expression], stream).toString());
      verify(program);
      const chosen = packets(stream).filter((data) => run(program, Buffer.from(data, 'hex')) > 0);
      expect(chosen).toEqual(packets(tcpdump(['-w', '-', '--', expression], stream)));
    }
  },
);
