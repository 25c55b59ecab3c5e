import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';

const folder = join(import.meta.dirname, '../../../samples/config');
const files = readdirSync(folder);
const readme = readFileSync(join(folder, '../README.md'), 'utf8');

function load(name: string): ReturnType<typeof loadConfig> {
  return loadConfig({ file: join(folder, name), environment: {}, set: [] });
}

test.each(files)('%s is accepted and listed in README.md', (name) => {
  expect(load(name).sinks['captures']).toMatchObject({ kind: 'files' });
  expect(readme).toContain(`| \`config/${name}\` |`);
});

test.each([
  {
    name: 'lab.yaml',
    config: { workers: 1, listen: { address: '127.0.0.1' }, http: { address: '127.0.0.1' } },
  },
  { name: 'behind-nlb.yaml', config: { behind: 'nlb', listen: { vxlanPorts: [4789], genevePorts: [] } } },
  {
    name: 'feed-suricata.yaml',
    config: { sinks: { tap: { kind: 'inject', cut: 'pad', output: { order: 'flow', duplicates: 'drop' } } } },
  },
  { name: 'behind-gwlb.yaml', config: { behind: 'gwlb', http: { tcpHealthPort: 8081 } } },
  { name: 'rotated-pcap.yaml', config: { sinks: { captures: { format: 'pcap', rotateSeconds: 60 } } } },
  {
    name: 'selected-packets.yaml',
    config: { sinks: { web: { select: { filter: 'tcp port 80 or 443', vnis: [42, '100-199'] } } } },
  },
  {
    name: 'strict-admission.yaml',
    config: { admission: { vnis: [42, '100-199'], expect: [{ vni: 42, silentSeconds: 60 }] } },
  },
])('$name says what it is for', ({ name, config }) => {
  expect(load(name)).toMatchObject(config);
});
