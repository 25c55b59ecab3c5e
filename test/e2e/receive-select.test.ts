import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startReceive, until } from '../support/appliance.ts';
import { runCommand } from '../support/command.ts';
import { withFolder } from '../support/tshark.ts';

const traffic = join(import.meta.dirname, '../../samples/traffic.pcapng');
const TRAFFIC_PACKETS = 184;

test('each sink of a receiving appliance is given what it asked for', () =>
  withFolder(async (folder) => {
    const receive = await startReceive(
      join(folder, 'captures'),
      'sinks.dns.kind=files',
      `sinks.dns.directory=${join(folder, 'dns')}`,
      'sinks.dns.select.filter=udp port domain',
      'sinks.dns.output.repair=partial',
    );
    const to = `127.0.0.1:${receive.vxlanPort}`;
    const sent = await runCommand(['send', '--from', traffic, '--to', to, '--vni', '7', '--rate', '2000']);
    expect(sent.status).toBe(0);
    await until('all packets came in', async () => {
      const metrics = await (await fetch(`${receive.url}/metrics`)).text();
      return metrics.includes(`mirrortap_sink_delivered_packets_total{sink="dns"} ${TRAFFIC_PACKETS}`);
    });
    const { report } = await receive.end();
    const sinks = new Map(report.sinks.map((sink) => [sink.name, sink]));
    expect(sinks.get('captures')).toMatchObject({ written: TRAFFIC_PACKETS, filtered: 0 });
    const dns = sinks.get('dns');
    expect(dns).toMatchObject({ delivered: TRAFFIC_PACKETS, pending: 0 });
    expect(dns?.written).toBeGreaterThan(0);
    expect((dns?.written ?? 0) + (dns?.filtered ?? 0)).toBe(TRAFFIC_PACKETS);
  }));
