import { describe, expect, test } from 'vitest';
import type { StatisticsReader } from '../../../../src/inputs/host-drops/driver-statistics.ts';
import { HostDrops } from '../../../../src/inputs/host-drops/host-drops.ts';
import type { SystemFiles } from '../../../../src/inputs/host-drops/system-files.ts';

/** Four processors; the second column is what is dropped. */
function softnet(...dropped: number[]): string {
  const hex = (count: number): string => count.toString(16).padStart(8, '0');
  return dropped.map((count) => `0003a2f1 ${hex(count)} 00000012 00000000 00000000\n`).join('');
}

/** A sysfs of interfaces with their statistics, and what lies below them. */
class FakeSystem {
  interfaces = ['eth0'];
  statistics: Record<string, Record<string, number>> = { eth0: {} };
  below: Record<string, string[]> = {};
  softnet: string | undefined = softnet(0, 0);
  /** Driver's statistics by interface; one that is not there has none. */
  driver: Record<string, Record<string, number>> = {};
  reads: string[] = [];

  readonly files: SystemFiles = {
    text: (path) => {
      if (path === '/proc/net/softnet_stat') return this.softnet;
      const [, name = '', counter = ''] = /^\/sys\/class\/net\/(\w+)\/statistics\/(\w+)$/.exec(path) ?? [];
      const count = this.statistics[name]?.[counter];
      return count === undefined ? undefined : `${count}\n`;
    },
    names: (folder) => {
      const name = folder.slice('/sys/class/net/'.length);
      return ['address', 'mtu', ...(this.below[name] ?? []).map((lower) => `lower_${lower}`)];
    },
  };

  readonly reader: StatisticsReader = {
    names: (device) => {
      this.reads.push(`names of ${device}`);
      return Object.keys(this.#driverOf(device));
    },
    values: (device, count) => {
      const values = Object.values(this.#driverOf(device));
      return values.length === count ? values : [];
    },
    close: () => {},
  };

  drops(statistics: StatisticsReader | undefined = this.reader): HostDrops {
    return new HostDrops({ interfaces: () => this.interfaces, files: this.files, statistics });
  }

  #driverOf(device: string): Record<string, number> {
    const statistics = this.driver[device];
    if (statistics === undefined) throw new Error('EOPNOTSUPP');
    return statistics;
  }
}

const ena = {
  tx_timeout: 1,
  bw_in_allowance_exceeded: 10,
  bw_out_allowance_exceeded: 20,
  pps_allowance_exceeded: 30,
  conntrack_allowance_exceeded: 40,
  linklocal_allowance_exceeded: 50,
  conntrack_allowance_available: 60,
  queue_0_rx_cnt: 70,
};

describe('the allowances of an ENA', () => {
  test('are counted by place since the start, whatever order they have', () => {
    const system = new FakeSystem();
    system.driver['eth0'] = { ...ena };
    const drops = system.drops();
    for (const name of Object.keys(ena)) system.driver['eth0'][name] = 100;
    expect(drops.look()).toEqual(
      new Map([
        ['softnet', 0],
        ['ena_bw_in', 90],
        ['ena_pps', 70],
        ['ena_conntrack', 60],
      ]),
    );
  });

  test('are there since boot too', () => {
    const system = new FakeSystem();
    system.driver['eth0'] = { ...ena };
    system.softnet = softnet(3, 4);
    const expected = [
      ['ena_bw_in', 10],
      ['ena_pps', 30],
      ['ena_conntrack', 40],
      ['softnet', 7],
    ] as const;
    expect(system.drops().sinceBoot()).toEqual(new Map(expected));
  });

  test('are there from the start, with 0', () => {
    const system = new FakeSystem();
    system.driver['eth0'] = ena;
    expect([...system.drops().look().keys()].toSorted()).toEqual([
      'ena_bw_in',
      'ena_conntrack',
      'ena_pps',
      'softnet',
    ]);
  });

  test('of several interfaces are added up', () => {
    const system = new FakeSystem();
    system.interfaces = ['eth0', 'eth1'];
    system.driver = { eth0: { ...ena }, eth1: { pps_allowance_exceeded: 7 } };
    const drops = system.drops();
    system.driver = { eth0: { ...ena, pps_allowance_exceeded: 31 }, eth1: { pps_allowance_exceeded: 9 } };
    expect(drops.look().get('ena_pps')).toBe(3);
  });

  test('are asked for by name once, and again when the driver keeps others', () => {
    const system = new FakeSystem();
    system.driver['eth0'] = { ...ena };
    const drops = system.drops();
    drops.look();
    expect(system.reads).toEqual(['names of eth0']);
    system.driver['eth0'] = { queue_1_rx_cnt: 1, ...ena, pps_allowance_exceeded: 1000 };
    drops.look();
    system.driver['eth0']['pps_allowance_exceeded'] = 1004;
    drops.look();
    expect(system.reads).toEqual(['names of eth0', 'names of eth0']);
    system.driver['eth0']['pps_allowance_exceeded'] = 1005;
    expect(drops.look().get('ena_pps')).toBe(1);
  });

  test('are not there where the driver has none, or cannot be asked', () => {
    const system = new FakeSystem();
    system.driver['eth0'] = { peer_ifindex: 3 };
    expect(system.drops().look()).toEqual(new Map([['softnet', 0]]));
    system.driver = {};
    expect(system.drops().look()).toEqual(new Map([['softnet', 0]]));
    expect(system.drops(undefined).look()).toEqual(new Map([['softnet', 0]]));
  });
});

describe('interface statistics', () => {
  const all = {
    rx_dropped: 1,
    rx_missed_errors: 10,
    rx_fifo_errors: 100,
    rx_over_errors: 1000,
    rx_errors: 10_000,
  };

  test('count what was dropped, missed, or found no room', () => {
    const system = new FakeSystem();
    system.statistics['eth0'] = { rx_dropped: 0, rx_missed_errors: 0, rx_fifo_errors: 0 };
    const drops = system.drops();
    system.statistics['eth0'] = all;
    expect(drops.look().get('nic')).toBe(111);
  });

  test('are those of the lowest interfaces: a bond counts again what its members count', () => {
    const system = new FakeSystem();
    system.interfaces = ['vlan7', 'bond0'];
    system.below = { vlan7: ['bond0'], bond0: ['eth0', 'eth1'] };
    const set = (rx_dropped: number): void => {
      for (const name of ['vlan7', 'bond0', 'eth0', 'eth1']) system.statistics[name] = { rx_dropped };
    };
    set(0);
    const drops = system.drops();
    set(5);
    expect(drops.look().get('nic')).toBe(10);
  });

  test('interfaces below each other in a circle end', () => {
    const system = new FakeSystem();
    system.below = { eth0: ['eth1'], eth1: ['eth0'] };
    system.statistics = { eth0: { rx_dropped: 1 }, eth1: { rx_dropped: 1 } };
    expect(system.drops().look().get('nic')).toBe(0);
  });

  test('an interface that goes keeps its count, one that comes begins with 0', () => {
    const system = new FakeSystem();
    system.statistics['eth0'] = { rx_dropped: 3 };
    const drops = system.drops();
    system.statistics['eth0'] = { rx_dropped: 5 };
    drops.look();
    system.statistics = { eth9: { rx_dropped: 1000 } };
    system.interfaces = ['eth9'];
    expect(drops.look().get('nic')).toBe(2);
    system.statistics['eth9'] = { rx_dropped: 1001 };
    expect(drops.look().get('nic')).toBe(3);
  });
});

const tables = [
  {
    name: 'all processors are added up',
    before: softnet(1, 2, 0x100),
    after: softnet(2, 4, 0x110),
    drops: 19,
  },
  {
    name: 'a processor that is switched off takes nothing away',
    before: softnet(5, 5),
    after: softnet(6),
    drops: 0,
  },
  { name: 'no table, no count', before: undefined, after: undefined, drops: undefined },
  { name: 'an empty table, no count', before: '', after: '', drops: undefined },
  { name: 'something else, no count', before: 'a table of another kind', after: 'x', drops: undefined },
];

test.each(tables)('softnet: $name', ({ before, after, drops }) => {
  const system = new FakeSystem();
  system.softnet = before;
  const counted = system.drops();
  system.softnet = after;
  expect(counted.look().get('softnet')).toBe(drops);
});
