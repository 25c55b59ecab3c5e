/**
 * Makes the sample captures: `node samples/make.ts [DIR]`, by default into this folder. The same bytes every time.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pcapFile, pcapngFile } from './make/capture.ts';
import { hostile } from './make/hostile.ts';
import { gwlb, truncated, vxlanSessions } from './make/sessions.ts';
import { traffic } from './make/traffic.ts';

const captures: Readonly<Record<string, () => Buffer>> = {
  'traffic.pcapng': () => pcapngFile(traffic(), ['instance']),
  'vxlan-sessions.pcapng': () => pcapngFile(vxlanSessions(), ['appliance']),
  'gwlb.pcap': () => pcapFile(gwlb()),
  'truncated.pcapng': () => pcapngFile(truncated(), ['appliance', 'appliance, 96 bytes kept']),
  'hostile.pcap': () => pcapFile(hostile()),
};

const folder = process.argv[2] ?? import.meta.dirname;
mkdirSync(folder, { recursive: true });
for (const [name, make] of Object.entries(captures)) writeFileSync(join(folder, name), make());
