import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Compile } from 'typebox/schema';
import { expect, test } from 'vitest';
import { runCommand } from '../support/command.ts';
import { root } from '../support/source-files.ts';
import { withFolder } from '../support/tshark.ts';

interface Line {
  readonly observer: { name: string };
  readonly mirrortap: { flow_id: string; sequence: number };
}

const schema = JSON.parse(readFileSync(join(root, 'src/format/flow-record.schema.json'), 'utf8')) as object;
const validator = Compile(schema as Record<string, unknown>);
const page = readFileSync(join(root, 'docs/flow-records.md'), 'utf8');
const explained = JSON.parse(/```json\n([^]*?)```/.exec(page)?.[1] ?? '') as Line;

const samples = ['vxlan-sessions.pcapng', 'gwlb.pcap', 'truncated.pcapng', 'hostile.pcap', 'traffic.pcapng'];

async function records(path: string, ...args: readonly string[]): Promise<Line[]> {
  const { stdout } = await runCommand(['decap', path, '--flows', '-', ...args]);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

test.each(samples)('%s: every record is as the schema says', async (name) => {
  const flows = await records(join(root, 'samples', name));
  for (const flow of flows) expect({ flow, errors: validator.Errors(flow)[1] }).toEqual({ flow, errors: [] });
  const ids = flows.map(({ mirrortap }) => `${mirrortap.flow_id} ${mirrortap.sequence}`);
  expect(new Set(ids).size).toBe(ids.length);
});

test('the record that the docs explain is one of them', async () => {
  const flows = await records(join(root, 'samples/vxlan-sessions.pcapng'));
  const { flow_id } = explained.mirrortap;
  const names = flows.map((flow) => ({
    ...flow,
    observer: explained.observer,
    mirrortap: { ...flow.mirrortap, flow_id },
  }));
  expect(names).toContainEqual(explained);
});

test('a file holds what standard output is given, and is refused a second time', () =>
  withFolder(async (folder) => {
    const sample = join(root, 'samples/vxlan-sessions.pcapng');
    const path = join(folder, 'flows.ndjson');
    const first = await runCommand(['decap', sample, '--flows', path]);
    expect(first.status).toBe(0);
    const { stdout } = await runCommand(['decap', sample, '--flows', '-']);
    expect(readFileSync(path, 'utf8')).toBe(stdout);
    const second = await runCommand(['decap', sample, '--flows', path]);
    expect(second.status).not.toBe(0);
    expect(second.stderr).toContain('A file is in the way');
    expect(readFileSync(path, 'utf8')).toBe(stdout);
  }));
