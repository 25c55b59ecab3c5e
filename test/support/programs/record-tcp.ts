/**
 * Records real TCP of this kernel: `node test/support/programs/record-tcp.ts FILE`, as root. What the tests use is
 * test/scenario/recordings/kernel-tcp.pcap, recorded once: no two recordings are the same.
 *
 * Two hosts with a router between them, as namespaces; the capture is taken at the first host, as a mirror session of its
 * interface would. The ways from the router are slow and their queues short, so packets are lost behind the capture
 * (what is sent again is there twice) and before it (there is a gap until it is sent again). Only the first 90 bytes of
 * a packet are kept: all headers, and the lengths that IP tells.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const SNAP_BYTES = 90;
const PORT = 7000;
const SERVER4 = '10.98.2.2';
const SERVER6 = 'fd00:98:2::2';
const QUIT_KIND = 'quit';

const [first = '', host = ''] = process.argv.slice(2);
if (first === 'serve') serve();
else if (first === 'call') await call();
else await record(first);

async function record(path: string): Promise<void> {
  const [near, between, far] = ['near', 'between', 'far'].map((name) => `record-${process.pid}-${name}`);
  if (near === undefined || between === undefined || far === undefined)
    throw new Error('There are no names.');
  const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'inherit' });
  const inside = (name: string, ...command: string[]): string[] => ['netns', 'exec', name, ...command];
  const link = (one: string, oneName: string, other: string, otherName: string): void =>
    ip('link', 'add', oneName, 'netns', one, 'type', 'veth', 'peer', 'name', otherName, 'netns', other);
  const up = (name: string, device: string, ...addresses: string[]): void => {
    for (const address of addresses) {
      ip('-n', name, 'address', 'add', address, 'dev', device, ...(address.includes(':') ? ['nodad'] : []));
    }
    // one packet a segment, as a mirror session delivers it
    ip('-n', name, 'link', 'set', device, 'gso_max_segs', '1', 'up');
  };
  const names = [near, between, far];
  try {
    for (const name of names) ip('netns', 'add', name);
    link(near, 'host0', between, 'way0');
    link(far, 'host0', between, 'way1');
    up(near, 'host0', '10.98.1.1/24', 'fd00:98:1::1/64');
    up(between, 'way0', '10.98.1.254/24', 'fd00:98:1::fe/64');
    up(between, 'way1', '10.98.2.254/24', 'fd00:98:2::fe/64');
    up(far, 'host0', `${SERVER4}/24`, `${SERVER6}/64`);
    for (const key of ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']) {
      ip(...inside(between, 'sysctl', '-qw', key));
    }
    for (const [name, gateway] of [
      [near, '1'],
      [far, '2'],
    ] as const) {
      ip('-n', name, 'route', 'add', 'default', 'via', `10.98.${gateway}.254`);
      ip('-n', name, '-6', 'route', 'add', 'default', 'via', `fd00:98:${gateway}::fe`);
    }
    // a receiver that does not read is soon full
    ip(...inside(far, 'sysctl', '-qw', 'net.ipv4.tcp_rmem=4096 16384 65536'));
    const slow = ['root', 'tbf', 'rate', '24mbit', 'burst', '6kb', 'limit'];
    ip(...inside(between, 'tc', 'qdisc', 'add', 'dev', 'way0', ...slow, '40000'));
    ip(...inside(between, 'tc', 'qdisc', 'add', 'dev', 'way1', ...slow, '90000'));
    await capture(path, near, far);
  } finally {
    for (const name of names) ip('netns', 'del', name);
  }
}

async function capture(path: string, near: string, far: string): Promise<void> {
  const tcpdump = ['tcpdump', '-i', 'host0', '-s', String(SNAP_BYTES), '-U', '-w', path, 'tcp'];
  const dump = spawn('ip', ['netns', 'exec', near, ...tcpdump], { stdio: 'inherit' });
  const own = [process.execPath, import.meta.filename];
  const server = spawn('ip', ['netns', 'exec', far, ...own, 'serve'], { stdio: 'inherit' });
  await sleep(2000);
  const clients = [SERVER4, SERVER6].map((address) =>
    spawn('ip', ['netns', 'exec', near, ...own, 'call', address], { stdio: 'inherit' }),
  );
  await Promise.all(clients.map(ended));
  await sleep(500);
  for (const child of [server, dump]) {
    child.kill('SIGTERM');
    await ended(child);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** The first line of a connection says what is to be done on it. */
function serve(): void {
  createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.once('data', (data: Buffer) => {
      const end = data.indexOf('\n');
      const [kind = '', amount = ''] = data.toString('latin1', 0, end).split(' ');
      answer(socket, kind, Number(amount));
    });
  }).listen(PORT, '::');
  process.on('SIGTERM', () => process.exit());
}

function answer(socket: Socket, kind: string, amount: number): void {
  switch (kind) {
    case 'up':
      socket.resume();
      socket.on('end', () => socket.end('thanks'));
      break;
    case 'down':
      socket.end(Buffer.alloc(amount, 'd'));
      break;
    case 'ask':
      socket.on('data', (question: Buffer) => {
        if (question.toString('latin1').startsWith(QUIT_KIND)) socket.end();
        else socket.write(Buffer.alloc(question.length * amount, 'a'));
      });
      break;
    case 'chat':
      void chat(socket, amount);
      break;
    default:
      // reads nothing for a while: the window closes
      socket.pause();
      setTimeout(() => socket.resume(), amount);
      socket.on('end', () => socket.end());
  }
}

/** Small pieces, one by one. */
async function chat(socket: Socket, pieces: number): Promise<void> {
  socket.resume();
  for (let i = 0; i < pieces; i++) {
    socket.write(Buffer.alloc(1 + ((i * 7) % 40), 'c'));
    if (i % 4 === 3) await sleep(2);
  }
  socket.end();
}

async function call(): Promise<void> {
  await Promise.all([
    transfer('up 200000', Buffer.alloc(200_000, 'u')),
    transfer('down 280000'),
    transfer('down 90000'),
    sleep(50).then(() => transfer('up 60000', Buffer.alloc(60_000, 'u'))),
    ask('ask 3', 25, 200),
    ask('ask 20', 15, 300),
    ask('ask 1', 20, 40),
    together('chat 80'),
    transfer('pause 400', Buffer.alloc(150_000, 'p')),
    reset('down 200000'),
    idle('ask 2'),
  ]);
}

async function open(kind: string): Promise<Socket> {
  const socket = connect({ host, port: PORT, noDelay: true });
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  socket.write(`${kind}\n`);
  return socket;
}

/** Sends all of it, if there is any, and reads to the end. */
async function transfer(kind: string, data?: Buffer): Promise<void> {
  const socket = await open(kind);
  socket.resume();
  if (data !== undefined) {
    await sleep(20);
    socket.end(data);
  }
  await once(socket, 'close');
}

/** Questions, each after the answer to the one before. */
async function ask(kind: string, questions: number, bytes: number): Promise<void> {
  const socket = await open(kind);
  await sleep(20);
  const factor = Number(kind.split(' ')[1]);
  for (let i = 0; i < questions; i++) {
    const size = bytes + i;
    socket.write(Buffer.alloc(size, 'q'));
    let missing = size * factor;
    while (missing > 0) {
      const [data] = (await once(socket, 'data')) as [Buffer];
      missing -= data.length;
    }
    await sleep(i % 5);
  }
  socket.write(QUIT_KIND);
  await once(socket, 'close');
}

async function together(kind: string): Promise<void> {
  const socket = await open(kind);
  await chat(socket, Number(kind.split(' ')[1]));
  if (!socket.closed) await once(socket, 'close');
}

/** Goes away in the middle of an answer. */
async function reset(kind: string): Promise<void> {
  const socket = await open(kind);
  let missing = 50_000;
  while (missing > 0) {
    const [data] = (await once(socket, 'data')) as [Buffer];
    missing -= data.length;
  }
  socket.resetAndDestroy();
}

/** Silent for so long that keep-alives are sent. */
async function idle(kind: string): Promise<void> {
  const socket = await open(kind);
  socket.setKeepAlive(true, 1000);
  await sleep(3500);
  socket.write(QUIT_KIND);
  socket.resume();
  await once(socket, 'close');
}
