import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/observe/report.ts';
import { runCommand } from '../support/command.ts';
import { cutCapture } from '../support/cut-capture.ts';
import { type FlowLine, flowLines, laneAndId, summed } from '../support/flow-lines.ts';
import { requiresCaptures } from '../support/requires.ts';
import { withFolder } from '../support/tshark.ts';

/** Real mirrored traffic, cut as a session with a small packet length cuts it: flows stay what they are. */

const folder = requiresCaptures();

function flowsOf(packetLength: number): Promise<{ flows: FlowLine[]; report: Report }> {
  return withFolder(async (work) => {
    const capture = readFileSync(join(folder ?? '', 'aws-mirror-2019.pcap'));
    writeFileSync(join(work, 'cut.pcap'), cutCapture(capture, packetLength));
    const flows = join(work, 'flows.ndjson');
    const args = ['decap', join(work, 'cut.pcap'), '--flows', flows, '--report', 'json'];
    const { status, stdout, stderr } = await runCommand(args);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    return { flows: flowLines(readFileSync(flows, 'utf8')), report: JSON.parse(stdout) as Report };
  });
}

describe.skipIf(folder === undefined)('the real capture, cut as AWS cuts', () => {
  test.each([38, 55, 64, 100, 128, 500])(
    'packet length %i: the same flows, packets and wire bytes; none called bad',
    async (packetLength) => {
      const whole = await flowsOf(9000);
      const cut = await flowsOf(packetLength);
      expect(Object.keys(summed(whole.flows, laneAndId)).length).toBeGreaterThan(5);
      expect(summed(cut.flows, laneAndId)).toEqual(summed(whole.flows, laneAndId));
      expect(cut.flows.filter(({ mirrortap }) => mirrortap.ports_unknown)).toEqual([]);
      const [lane] = cut.report.lanes;
      expect(lane?.truncated).toBeGreaterThan(0);
      expect(lane?.checksum.transport.bad).toBe(0);
      expect(lane?.checksum.ip.bad).toBe(0);
      const truncated = cut.flows.reduce((sum, { mirrortap }) => sum + mirrortap.truncated_packets, 0);
      expect(truncated).toBe(lane?.truncated);
    },
  );

  test('packet length 35: the ports are gone; flows of addresses and protocol, and marked so', async () => {
    const whole = await flowsOf(9000);
    const cut = await flowsOf(35);
    const pair = ({ source, destination, network }: FlowLine): string =>
      [...[source.ip, destination.ip].toSorted(), network.transport].join(' ');
    expect(summed(cut.flows, pair)).toEqual(summed(whole.flows, pair));
    const withPorts = cut.flows.filter(({ network }) => ['tcp', 'udp'].includes(network.transport));
    expect(withPorts.length).toBeGreaterThan(0);
    for (const flow of withPorts) {
      expect(flow.mirrortap.ports_unknown).toBe(true);
      expect(flow.source.port).toBeUndefined();
    }
    expect(cut.report.lanes[0]?.checksum.transport.bad).toBe(0);
  });
});
