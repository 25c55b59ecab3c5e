import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { dropsBySocket, KernelDrops } from '../../../src/inputs/udp-drops.ts';

// the layout of Linux, net/ipv4/udp.c (udp4_format_sock) and net/ipv6/datagram.c (__ip6_dgram_sock_seq_show)
const ipv4Table = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops             
  310: 00000000:12B5 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 41235 2 00000000f1c0ffee 17        
  310: 00000000:12B5 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 41236 2 00000000f1c0ffef 3         
 1602: 0100007F:17C1 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 41237 2 00000000f1c0fff0 4000000000
 1700: 3500007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 18230 2 00000000f1c0fff1 99        
`;
const ipv6Table = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  310: 00000000000000000000000000000000:12B5 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 51235 2 00000000f1c0ffee 8
`;

const rows = [
  { name: 'two sockets that share a port', table: ipv4Table, ports: [4789], drops: 20 },
  { name: 'several ports', table: ipv4Table, ports: [4789, 6081], drops: 4_000_000_020 },
  { name: 'a port that nobody has', table: ipv4Table, ports: [1], drops: 0 },
  { name: 'no ports', table: ipv4Table, ports: [], drops: 0 },
  { name: 'IPv6', table: ipv6Table, ports: [4789], drops: 8 },
  { name: 'an empty table', table: ipv4Table.slice(0, ipv4Table.indexOf('\n') + 1), ports: [4789], drops: 0 },
  { name: 'an empty text', table: '', ports: [4789], drops: 0 },
  { name: 'a line that was cut', table: 'head\n  310: 00000000:12B5 0000', ports: [4789], drops: 0 },
];

test.each(rows)('$name: $drops', ({ table, ports, drops }) => {
  const bySocket = dropsBySocket(table, new Set(ports));
  expect([...bySocket.values()].reduce((sum, count) => sum + count, 0)).toBe(drops);
});

test('a socket that was closed takes nothing out of the count, and a new one adds to it', () => {
  const line = (inode: number, drops: number) =>
    `310: 00000000:12B5 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 ${inode} 2 0 ${drops}\n`;
  let table: string | undefined;
  const drops = new KernelDrops(new Set([4789]), (path) => (path.endsWith('udp') ? table : undefined));
  expect(drops.look()).toBe(undefined);
  const counts = [
    line(1, 60) + line(2, 40),
    line(2, 40),
    line(2, 90) + line(3, 0),
    line(2, 90) + line(3, 5),
    '',
    '',
    line(4, 1),
  ].map((lines) => {
    table = `head\n${lines}`;
    return drops.look();
  });
  expect(counts).toEqual([100, 100, 150, 155, 155, 155, 156]);
});

test.skipIf(!existsSync('/proc/net/udp'))('what a full socket drops is counted, per port', async () => {
  const full = createSocket('udp4');
  const sender = createSocket('udp4');
  try {
    full.bind(0, '127.0.0.1');
    await once(full, 'listening');
    full.setRecvBufferSize(4096);
    const { port } = full.address();
    const counter = new KernelDrops(new Set([port]));
    expect(counter.look()).toBe(0);
    // one turn of the event loop: the socket is not read meanwhile
    const sends: Promise<void>[] = [];
    for (let number = 0; number < 200; number++) {
      sends.push(
        new Promise((resolve) => {
          sender.send(Buffer.alloc(1000), port, '127.0.0.1', () => resolve());
        }),
      );
    }
    let received = 0;
    full.on('message', () => received++);
    await Promise.all(sends);
    const drops = counter.look() ?? 0;
    expect(drops).toBeGreaterThan(0);
    for (;;) {
      if (received + drops >= 200) break;
      await setImmediate();
    }
    expect(received + drops).toBe(200);
  } finally {
    full.close();
    sender.close();
  }
});
