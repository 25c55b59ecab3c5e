import { expect, test, describe } from 'vitest';
import { ipv4Packet, ipv6Packet, udpDatagram } from '../../../../samples/make/packets.ts';
import { client, server } from '../../../../samples/make/traffic.ts';
import { reusePortProgram, type SteeringOptions } from '../../../../src/inputs/bpf/steering.ts';
import { run } from '../../../support/bpf-machine.ts';
import { frameOf, packetOf } from '../../../support/steered.ts';
import { vxlan } from '../../../support/tunnels.ts';

/** So many members that the number of the socket is the hash, but for the few highest. */
const MEMBERS = 4_294_967_291;

function makeHash(steering: SteeringOptions['steering']): (payload: Uint8Array) => number {
  const program = reusePortProgram({ steering, vxlanPorts: [4789], genevePorts: [] }, 4789, MEMBERS);
  return (payload) => run(program, payload);
}
const byFlow = makeHash('flow');
const byPorts = makeHash('flow-ports');
const byVni = makeHash('vni');

describe('the load', () => {
  const v4 = (third: number, last: number): Uint8Array => Uint8Array.of(10, 0, third, last);
  const v6 = (third: number, last: number): Uint8Array =>
    Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, third, 0, 0, 0, 0, 0, 0, last >>> 8, last & 0xff);
  const pools: readonly { name: string; pairs: readonly (readonly [Uint8Array, Uint8Array])[] }[] = [
    {
      name: '2,000 clients of one server',
      pairs: grid(2000, 1, (i) => [v4(1 + (i >>> 8), i & 255), v4(99, 1)]),
    },
    { name: '64 clients of 32 servers', pairs: grid(64, 32, (i, j) => [v4(1, i), v4(2, j)]) },
    {
      name: 'each with its neighbour',
      pairs: grid(2000, 1, (i) => [v4(i >>> 8, i & 255), v4((i + 1) >>> 8, (i + 1) & 255)]),
    },
    { name: 'the same hosts of two subnets', pairs: grid(250, 8, (i, j) => [v4(j, i), v4(100 + j, i)]) },
    { name: 'IPv6, 64 clients of 32 servers', pairs: grid(64, 32, (i, j) => [v6(1, i), v6(2, j)]) },
    { name: 'IPv6, 2,000 clients of one server', pairs: grid(2000, 1, (i) => [v6(1, i), v6(9, 1)]) },
  ];
  test.each(pools)('$name: spread evenly over 2 to 16 workers', ({ pairs }) => {
    const hashes = pairs.map(([one, other]) =>
      byFlow(vxlan(frameOf(packetBetween(one, other), one.length === 4 ? 4 : 6))),
    );
    for (let members = 2; members <= 16; members++) expectEven(hashes, members);
  });

  test('VNIs and ports in sequence are spread evenly too', () => {
    const vnis = Array.from({ length: 2000 }, (_, vni) =>
      byVni(vxlan(Buffer.alloc(60), `08 000000 ${vni.toString(16).padStart(6, '0')} 00`)),
    );
    const byPort = Array.from({ length: 2000 }, (_, port) => {
      const packet = packetOf(
        { version: 4, protocol: 'tcp', addresses: [client.ipv4, server.ipv4], ports: [32_768 + port, 443] },
        port % 2 === 0,
        'whole',
      );
      return byPorts(vxlan(frameOf(packet, 4)));
    });
    for (let members = 2; members <= 16; members++) {
      expectEven(vnis, members);
      expectEven(byPort, members);
    }
  });
});

function grid<T>(rows: number, columns: number, make: (row: number, column: number) => T): T[] {
  return Array.from({ length: rows * columns }, (_, index) => make(index % rows, Math.floor(index / rows)));
}

function packetBetween(source: Uint8Array, destination: Uint8Array): Buffer {
  const make = source.length === 4 ? ipv4Packet : ipv6Packet;
  return make(source, destination, udpDatagram(1, 2, Buffer.alloc(0)));
}

/** Chi-square over the workers, under a bound that an even spread passes but once in some ten thousand times. */
function expectEven(hashes: readonly number[], members: number): void {
  const counts = new Array<number>(members).fill(0);
  for (const hash of hashes) counts[hash % members]! += 1;
  const mean = hashes.length / members;
  const chiSquare = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
  const freedom = members - 1;
  expect(chiSquare).toBeLessThan(freedom + 4 * Math.sqrt(2 * freedom) + 8);
}
