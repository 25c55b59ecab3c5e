import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PcapngDecoder } from '../../src/format/pcapng-decoder.ts';
import { runCommand } from '../support/command.ts';
import { decodeAll } from '../support/decoding.ts';
import { requires, requiresCaptures } from '../support/requires.ts';
import { runWireshark, withFolder } from '../support/tshark.ts';

/**
 * Every byte of every frame in the files that `decap` writes is what editcap leaves when it strips the tunnel: a
 * program that knows nothing of tunnels and only cuts off a number of bytes.
 */

/** Captures of one sort of tunnel, and what stands before the inner frame in each of their packets. */
const OUTER_BYTES: Readonly<Record<string, number>> = {
  'aws-mirror-2019.pcap': 50,
  'zeek-vxlan.pcap': 50,
  'zeek-vxlan-encapsulated-http.pcap': 50,
  // Ethernet, IPv4, UDP, GENEVE without options, and IPv4, UDP, VXLAN inside it
  'zeek-geneve-vxlan-dns-truncated.pcap': 86,
};
const folder = requiresCaptures();
const paths = folder === undefined ? [] : Object.keys(OUTER_BYTES).map((name) => join(folder, name));

function framesOf(path: string): string[] {
  const { packets, problem } = decodeAll(new PcapngDecoder(), readFileSync(path));
  expect(problem).toBeUndefined();
  return packets.map(({ time, data }) => `${time} ${data}`);
}

describe.skipIf(!requires('editcap') || paths.length === 0)('frames in files', () => {
  test.each(paths)('%s', (path) =>
    withFolder(async (work) => {
      const stripped = join(work, 'stripped.pcapng');
      const outerBytes = String(OUTER_BYTES[basename(path)]);
      runWireshark('editcap', ['-F', 'pcapng', '-C', outerBytes, path, stripped]);
      const { status } = await runCommand(['decap', path, '--out', join(work, 'lanes')]);
      expect(status).toBe(0);

      const files = readdirSync(join(work, 'lanes'));
      expect(files).toHaveLength(1);
      const frames = framesOf(join(work, 'lanes', files[0] ?? ''));
      expect(frames.length).toBeGreaterThan(0);
      expect(frames).toEqual(framesOf(stripped));
    }),
  );
});
