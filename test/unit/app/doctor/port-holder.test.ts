import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { boundTo, describeProgram, portHolder } from '../../../../src/app/doctor/port-holder.ts';

const heading =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';
const udp =
  heading +
  '  181: 00000000:12B5 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 4711 2 0000000000000000 5\n' +
  '  182: 0100007F:17C1 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0000000000000000 0\n';
const tcp6 =
  heading +
  '   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 99 1 0000000000000000 100 0 0 10 0\n' +
  '   1: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 98 1 0000000000000000 100 0 0 10 0\n';

test.each([
  { name: 'a UDP port', table: udp, protocol: 'udp', port: 4789, lines: [{ user: '1000', inode: '4711' }] },
  { name: 'another', table: udp, protocol: 'udp', port: 6081, lines: [{ user: '0', inode: '4712' }] },
  { name: 'one that nobody has', table: udp, protocol: 'udp', port: 1, lines: [] },
  {
    name: 'a TCP port: who listens',
    table: tcp6,
    protocol: 'tcp',
    port: 8080,
    lines: [{ user: '0', inode: '99' }],
  },
  { name: 'a TCP port of a connection only', table: tcp6, protocol: 'tcp', port: 40_000, lines: [] },
  { name: 'no table', table: '', protocol: 'udp', port: 4789, lines: [] },
] as const)('$name', ({ table, protocol, port, lines }) => {
  expect(boundTo(table, protocol, port)).toEqual(lines);
});

test.each([
  {
    args: ['node', '/srv/src/main.ts', 'receive', '-c', 'x'],
    program: 'node /srv/src/main.ts receive -c x',
    is: true,
  },
  { args: ['node', '/usr/bin/mirrortap', 'receive'], program: 'node /usr/bin/mirrortap receive', is: true },
  { args: ['mirrortap', 'lab'], program: 'mirrortap lab', is: true },
  { args: ['node', 'main.js', 'decap'], program: 'node main.js decap', is: false },
  { args: ['socat', '-', 'receive'], program: 'socat - receive', is: false },
  { args: ['x'.repeat(500)], program: 'x'.repeat(120), is: false },
])('$program is an appliance: $is', ({ args, program, is }) => {
  const text = `${args.join('\0')}\0`;
  const read = (path: string): string | undefined => (path === '/proc/7/cmdline' ? text : undefined);
  expect(describeProgram('7', read)).toEqual({ program, isMirrortap: is });
});

test('a process without arguments has its name', () => {
  const read = (path: string): string | undefined => (path === '/proc/7/comm' ? 'kworker\n' : '');
  expect(describeProgram('7', read).program).toBe('kworker');
});

test.skipIf(process.platform !== 'linux')('the holder of a port is this process', async () => {
  const socket = createSocket('udp6');
  const server = createServer();
  try {
    socket.bind(0, '::1');
    server.listen(0, '127.0.0.1');
    await Promise.all([once(socket, 'listening'), once(server, 'listening')]);
    expect(portHolder('udp', socket.address().port)).toMatchObject({ pid: process.pid });
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    expect(portHolder('tcp', port)).toMatchObject({ pid: process.pid, isMirrortap: false });
  } finally {
    socket.close();
    server.close();
  }
  expect(portHolder('udp', 1)).toBeUndefined();
});
