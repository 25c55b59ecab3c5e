import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const program = join(import.meta.dirname, '../support/programs/packet-path.ts');
/** Room for what 1,000,000 packets could leave, so that nothing is collected before it is counted. */
const heap = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];
/** The smallest object takes 16 bytes; what there is comes from the decoder that is made each time the file begins. */
const BYTES_MAX = 12;

test.each(['vxlan-sessions.pcapng', 'gwlb.pcap', 'truncated.pcapng', 'hostile.pcap'])(
  '1,000,000 packets of %s are decoded, received and encoded without an object for each',
  (name) => {
    const bytesPerPacket = Number(
      execFileSync(process.execPath, [...heap, program, name], { encoding: 'utf8' }),
    );
    expect(bytesPerPacket).toBeLessThan(BYTES_MAX);
  },
  120_000,
);
