import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostilePackets } from '../../../samples/make/hostile.ts';
import { runExplain } from '../../../src/app/explain.ts';
import type { CommandIo } from '../../../src/app/io.ts';
import type { Log } from '../../../src/observe/log.ts';
import { withFolder } from '../../support/tshark.ts';

const samples = join(import.meta.dirname, '../../../samples');
const ports = { vxlanPorts: [4789], genevePorts: [6081] };

async function explained(file: string, packet?: number): Promise<{ status: number; text: string }> {
  let text = '';
  const io: CommandIo = {
    print: (part) => {
      text += part;
    },
    log: {} as Log,
    logSettings: { level: 'info', format: 'json' },
  };
  const status = await runExplain({ file, ...ports, ...(packet === undefined ? {} : { packet }) }, io);
  return { status, text };
}

test('all packets of a file, numbered from 1', async () => {
  const { status, text } = await explained(join(samples, 'hostile.pcap'));
  expect(status).toBe(0);
  const numbers = [...text.matchAll(/^Packet (\d+): /gm)].map(([, number]) => Number(number));
  expect(numbers).toEqual(hostilePackets().map((_, index) => index + 1));
  const refused = [
    ...text.matchAll(/^ {2}Refused: (\w+), in .* at byte \d+: \d+ bytes needed, \d+ present\. /gm),
  ];
  const faults = hostilePackets().filter(({ outcome }) => outcome !== 'delivered' && outcome !== 'notTunnel');
  expect(refused.map(([, name]) => name)).toEqual(faults.map(({ outcome }) => outcome));
});

test('one packet of a file, and no more of the file than that', async () => {
  const all = await explained(join(samples, 'gwlb.pcap'));
  const { text } = await explained(join(samples, 'gwlb.pcap'), 3);
  expect(text).toMatch(/^Packet 3: .*\n/);
  expect(all.text).toContain(text);
  expect(text.match(/^Packet /gm)).toHaveLength(1);
});

test('a packet that the file does not have is refused', async () => {
  await expect(explained(join(samples, 'hostile.pcap'), 1000)).rejects.toMatchObject({
    code: 'USAGE',
    context: { packet: 1000 },
  });
});

test('ports may be others', async () => {
  let text = '';
  const io = {
    print: (part: string) => (text += part),
    log: {} as Log,
    logSettings: { level: 'info', format: 'json' },
  } as unknown as CommandIo;
  await runExplain(
    { file: join(samples, 'vxlan-sessions.pcapng'), packet: 1, vxlanPorts: [], genevePorts: [] },
    io,
  );
  expect(text).toContain('UDP port 4789 is no tunnel port.');
});

test('a damaged file: what came before the damage, then the error', async () => {
  await withFolder(async (folder) => {
    const file = join(folder, 'cut.pcap');
    writeFileSync(file, readFileSync(join(samples, 'gwlb.pcap')).subarray(0, 400));
    await expect(explained(file)).rejects.toMatchObject({ code: 'CAPTURE_DAMAGED' });
    await expect(explained(join(folder, 'none'))).rejects.toMatchObject({ code: 'CAPTURE_UNREADABLE' });
  });
});
