import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { CaptureFileInput } from '../../src/inputs/capture-file.ts';
import { DgramInput } from '../../src/inputs/dgram.ts';
import { MirrorError } from '../../src/observe/error.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import type { Input } from '../../src/pipeline/input.ts';
import { pcapHeader, pcapRecord } from '../support/capture-bytes.ts';
import { Consumer, numberedPacket, turns } from '../support/consumer.ts';
import { withFolder } from '../support/tshark.ts';

const COUNT = 300;
/** When the packet `number` arrives: of a socket all at one time, so that no clock is asked. */
const SECONDS = 1_795_233_600;

/** An input in its world, and what makes packets come. */
interface Source {
  readonly input: Input;
  /** Lets the packets `from .. to - 1` come; those of a capture are there from the beginning. */
  supply(from: number, to: number): Promise<void>;
  /** Says that there is no more to come: a capture ends without it. */
  end(): Promise<void>;
  /** Files and sockets of the input that are open. */
  open(): number;
}

/** What the suite has to know of one kind of input. */
interface Fixture {
  readonly name: string;
  readonly linkType: number;
  /** Says whether it fills a batch while another is on its way. */
  readonly isLive: boolean;
  make(world: World): Source;
  /** Makes one that cannot be opened; a stream always can. */
  makeUnopenable?(world: World): Promise<Source>;
  /** Makes one whose run fails after some packets; a socket is not made to fail from outside. */
  makeFailing?(world: World): Source;
}

/** A folder, and sockets that are not the input's. */
class World {
  readonly folder: string;
  readonly sockets: Socket[] = [];

  constructor(folder: string) {
    this.folder = folder;
  }

  async socket(): Promise<Socket> {
    const socket = createSocket('udp4');
    this.sockets.push(socket);
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return socket;
  }
}

async function closeSocket(socket: Socket): Promise<void> {
  socket.close();
  await once(socket, 'close');
}

function inWorld(work: (world: World) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    const world = new World(folder);
    try {
      await work(world);
    } finally {
      await Promise.all(world.sockets.map(closeSocket));
      // one turn more, and the handles are gone as well
      await turns(2);
    }
  });
}

const capture = Buffer.concat([
  pcapHeader({ littleEndian: true, nanoseconds: true, linkType: LinkType.ethernet }),
  ...Array.from({ length: COUNT }, (_, number) =>
    pcapRecord(true, { seconds: SECONDS, fraction: 1 + number, data: numberedPacket(number) }),
  ),
]);
const cut = capture.subarray(0, capture.length / 2);
/** All packets, and then what is no record: read at once, the only batch is on its way when that is found. */
const damaged = Buffer.concat([capture, Buffer.alloc(100, 0xff)]);
const sizes = { chunkBytes: 2000, batchPackets: 7 };
const nothing = (): Promise<void> => Promise.resolve();

function fileSource(world: World, bytes: Uint8Array | undefined, reading = sizes): Source {
  const path = join(world.folder, 'capture');
  if (bytes !== undefined) writeFileSync(path, bytes);
  const input = new CaptureFileInput({ path, ...reading });
  return { input, supply: nothing, end: nothing, open: () => openFiles(path) };
}

/** Descriptors of this process on a file; where the system does not tell, none. */
function openFiles(path: string): number {
  const folder = '/proc/self/fd';
  if (!existsSync(folder)) return 0;
  return readdirSync(folder).filter((descriptor) => {
    try {
      return readlinkSync(join(folder, descriptor)) === path;
    } catch {
      // the descriptor that listed the folder is gone by now
      return false;
    }
  }).length;
}

function streamSource(bytes: Uint8Array, failure?: Error): Source {
  const stdin = new PassThrough();
  for (let at = 0; at < bytes.length; at += 777) stdin.write(bytes.subarray(at, at + 777));
  if (failure === undefined) stdin.end();
  else void turns(20).then(() => stdin.destroy(failure));
  const input = new CaptureFileInput({ path: '-', stdin, ...sizes });
  return { input, supply: nothing, end: nothing, open: () => (stdin.destroyed ? 0 : 1) };
}

function socketSource(world: World, ports: readonly number[] = [0]): Source {
  const now = (): number => SECONDS * 1000 + 0.5;
  const input = new DgramInput({ address: '127.0.0.1', ports, receiveBufferBytes: 1_048_576, now });
  const before = udpHandles();
  let port = 0;
  let sender: Socket | undefined;
  return {
    input,
    async supply(from, to) {
      sender ??= await world.socket();
      port = input.bound()[0]?.port ?? port;
      for (let number = from; number < to; number++) await send(sender, numberedPacket(number), port);
    },
    end: () => input.close(),
    open: () => udpHandles() - before - (sender === undefined ? 0 : 1),
  };
}

/** UDP sockets of this process, and what the runtime counts as such. */
function udpHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'UDPWrap').length;
}

function send(socket: Socket, bytes: Uint8Array, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(bytes, port, '127.0.0.1', (error) => (error === null ? resolve() : reject(error)));
  });
}

const fixtures: readonly Fixture[] = [
  {
    name: 'capture file',
    linkType: LinkType.ethernet,
    isLive: false,
    make: (world) => fileSource(world, capture),
    makeUnopenable: (world) => Promise.resolve(fileSource(world, undefined)),
    makeFailing: (world) => fileSource(world, damaged, { chunkBytes: 100_000, batchPackets: 1000 }),
  },
  {
    name: 'capture file, compressed',
    linkType: LinkType.ethernet,
    isLive: false,
    make: (world) => fileSource(world, gzipSync(capture)),
    makeFailing: (world) => fileSource(world, gzipSync(capture).subarray(0, -9)),
  },
  {
    name: 'capture from a stream',
    linkType: LinkType.ethernet,
    isLive: false,
    make: () => streamSource(capture),
    makeFailing: () => streamSource(cut, new Error('gone')),
  },
  {
    name: 'capture from a stream, compressed',
    linkType: LinkType.ethernet,
    isLive: false,
    make: () => streamSource(gzipSync(capture)),
    makeFailing: () => streamSource(gzipSync(capture).subarray(0, -9)),
  },
  {
    name: 'sockets of Node',
    linkType: LinkType.raw,
    isLive: true,
    make: (world) => socketSource(world),
    async makeUnopenable(world) {
      const holder = await world.socket();
      return socketSource(world, [0, holder.address().port]);
    },
  },
];

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

/** After some turns, in which what was closed goes away, nothing of the input is open any more. */
async function expectNothingOpen(source: Source): Promise<void> {
  await turns(5);
  expect(source.open()).toBe(0);
}

describe.each(fixtures)('input: $name', ({ linkType, isLive, make }) => {
  const consumer = (seed: number): Consumer => new Consumer(seed, { linkType, seconds: SECONDS });

  test.each([1, 2, 3])('every packet comes once, in order and with all columns (seed %i)', (seed) =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = consumer(seed);
      await source.input.open();
      expect(source.open()).toBe(1);
      const run = seen.run(source.input);
      for (let from = 0; from < COUNT; from += 50) {
        await source.supply(from, from + 50);
        await seen.until(from + 50);
      }
      await source.end();
      await run;
      expect(seen.numbers).toEqual(upTo(COUNT));
      expect(seen.batches).toBeGreaterThan(4);
      expect(seen.problems).toEqual([]);
      await expectNothingOpen(source);
    }),
  );

  test('batches on their way are left alone, and given back in any order', () =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = consumer(4);
      const giveBack = seen.hold();
      await source.input.open();
      const run = seen.run(source.input);
      for (const from of [0, 20, 40, 60]) {
        await source.supply(from, from + 20);
        await seen.until(isLive ? from + 20 : 1);
      }
      await turns(20);
      if (isLive) expect(seen.out.size).toBeGreaterThanOrEqual(4);
      else expect(seen.out.size).toBe(1);
      giveBack();
      await turns(20);
      await source.supply(80, COUNT);
      await seen.until(COUNT);
      await source.end();
      await run;
      expect(seen.numbers).toEqual(upTo(COUNT));
      expect(seen.problems).toEqual([]);
    }));

  test('run settles only after the last batch was given back', () =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = consumer(5);
      const giveBack = seen.hold(COUNT - 1);
      await source.input.open();
      const run = seen.run(source.input);
      await source.supply(0, COUNT);
      await seen.until(COUNT);
      const ended = source.end();
      await turns(50);
      expect([seen.ended, seen.out.size]).toEqual([false, 1]);
      giveBack();
      await Promise.all([run, ended]);
      expect(seen.problems).toEqual([]);
    }));

  test('nothing comes after run has settled', () =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = consumer(6);
      await source.input.open();
      const run = seen.run(source.input);
      await source.supply(0, COUNT);
      await seen.until(COUNT);
      await source.end();
      await run;
      await source.supply(COUNT, COUNT + 20);
      await source.input.close();
      await turns(50);
      expect(seen.numbers).toEqual(upTo(COUNT));
      expect(seen.problems).toEqual([]);
    }));

  test('closed before it is opened, it leaves nothing open, and run has nothing to do', () =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = consumer(7);
      await source.input.close();
      await source.input.open();
      await expectNothingOpen(source);
      await seen.run(source.input);
      expect([seen.numbers, seen.problems]).toEqual([[], []]);
      await source.input.close();
    }));

  test('closed before it is run, it leaves nothing open, and run has nothing to do', () =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = consumer(8);
      await source.input.open();
      await source.input.close();
      await expectNothingOpen(source);
      await seen.run(source.input);
      expect([seen.numbers, seen.problems]).toEqual([[], []]);
    }));

  test.each([
    { when: 'while a batch is on its way', held: true },
    { when: 'while batches come and go', held: false },
  ])('closed twice at once $when: what was taken is delivered, then run settles', ({ held }) =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = consumer(9);
      const giveBack = seen.hold();
      if (!held) giveBack();
      await source.input.open();
      const run = seen.run(source.input);
      await source.supply(0, 30);
      await seen.until(1);
      const closed = Promise.all([source.input.close(), source.input.close()]);
      await turns(20);
      if (held) expect(seen.ended).toBe(false);
      giveBack();
      await closed;
      await run;
      await source.input.close();
      expect(seen.numbers).toEqual(upTo(seen.numbers.length));
      if (isLive) expect(seen.numbers).toHaveLength(30);
      expect(seen.problems).toEqual([]);
      await expectNothingOpen(source);
    }),
  );
});

const unopenable = fixtures.flatMap(({ name, makeUnopenable: make }) =>
  make === undefined ? [] : { name, make },
);

test.each(unopenable)('input: $name: refused by the system, it says so and leaves nothing open', ({ make }) =>
  inWorld(async (world) => {
    const source = await make(world);
    await expect(source.input.open()).rejects.toBeInstanceOf(MirrorError);
    await expectNothingOpen(source);
    await source.input.close();
  }),
);

const failing = fixtures.flatMap((fixture) => {
  const { makeFailing: make } = fixture;
  return make === undefined ? [] : { ...fixture, make };
});

test.each(failing)(
  'input: $name: a run that fails says so after all it could read was given back',
  ({ linkType, make }) =>
    inWorld(async (world) => {
      const source = make(world);
      const seen = new Consumer(10, { linkType, seconds: SECONDS });
      const giveBack = seen.hold();
      await source.input.open();
      void turns(100).then(giveBack);
      await expect(seen.run(source.input)).rejects.toBeInstanceOf(MirrorError);
      expect(seen.numbers.length).toBeGreaterThan(100);
      expect(seen.numbers).toEqual(upTo(seen.numbers.length));
      await expectNothingOpen(source);
      expect(seen.problems).toEqual([]);
    }),
);
