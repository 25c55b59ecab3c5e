import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { CaptureFileInput } from '../../src/inputs/capture-file.ts';
import { DgramInput } from '../../src/inputs/dgram.ts';
import { LinkType } from '../../src/packet/link-type.ts';
import type { Input } from '../../src/pipeline/input.ts';
import { pcapHeader, pcapRecord } from './capture-bytes.ts';
import { numberedPacket, turns } from './consumer.ts';
import { failingMmsgSource, mmsgSource } from './mmsg-source.ts';
import { requiresNative } from './native.ts';
import { requiresRoot } from './requires.ts';
import { ringSource } from './ring-source.ts';
import { withFolder } from './tshark.ts';

/** Packets of every capture. */
export const COUNT = 300;
/** When the packets arrive that the kernel gives no time: of a socket all at one time, so that no clock is asked. */
const SECONDS = 1_795_233_600;

/** An input in its world, and what makes packets come. */
export interface InputSource {
  readonly input: Input;
  /** Lets the packets `from .. to - 1` come; those of a capture are there from the beginning. */
  supply(from: number, to: number): Promise<void>;
  /** Says that there is no more to come: a capture ends without it. */
  end(): Promise<void>;
  /** Files and sockets of the input that are open. */
  open(): number;
}

/** What the suite has to know of one kind of input. */
export interface InputFixture {
  readonly name: string;
  readonly linkType: number;
  /** When all packets arrive; left out: when the kernel says. */
  readonly seconds?: number;
  /** Says whether it fills a batch while another is on its way. */
  readonly isLive: boolean;
  make(world: World): InputSource;
  /** Makes one that cannot be opened; a stream always can. */
  makeUnopenable?(world: World): Promise<InputSource>;
  /** Makes one whose run fails after some packets; a socket is not made to fail from outside. */
  makeFailing?(world: World): InputSource;
}

/** A folder, and sockets that are not the input's. */
export class World {
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

/** Does work in a new world, and takes it down again. */
export function inWorld(work: (world: World) => Promise<void>): Promise<void> {
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

function fileSource(world: World, bytes: Uint8Array | undefined, reading = sizes): InputSource {
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

function streamSource(bytes: Uint8Array, failure?: Error): InputSource {
  const stdin = new PassThrough();
  for (let at = 0; at < bytes.length; at += 777) stdin.write(bytes.subarray(at, at + 777));
  if (failure === undefined) stdin.end();
  else void turns(20).then(() => stdin.destroy(failure));
  const input = new CaptureFileInput({ path: '-', stdin, ...sizes });
  return { input, supply: nothing, end: nothing, open: () => (stdin.destroyed ? 0 : 1) };
}

function socketSource(world: World, ports: readonly number[] = [0]): InputSource {
  const now = (): number => SECONDS * 1000 + 0.5;
  const input = new DgramInput({
    worker: 0,
    address: '127.0.0.1',
    ports,
    receiveBufferBytes: 1_048_576,
    now,
  });
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

const mmsgFixture: InputFixture = {
  name: 'sockets read with recvmmsg',
  linkType: LinkType.raw,
  isLive: true,
  make: (world) => mmsgSource(world),
  async makeUnopenable(world) {
    const holder = await world.socket();
    return mmsgSource(world, [0, holder.address().port]);
  },
  makeFailing: (world) => failingMmsgSource(world, COUNT),
};

const ringFixture: InputFixture = {
  name: 'packet ring',
  linkType: LinkType.raw,
  isLive: true,
  make: (world) => ringSource(world),
  async makeUnopenable(world) {
    const holder = await world.socket();
    return ringSource(world, holder.address().port);
  },
};

/** Every kind of input. */
export const inputFixtures: readonly InputFixture[] = [
  {
    name: 'capture file',
    linkType: LinkType.ethernet,
    seconds: SECONDS,
    isLive: false,
    make: (world) => fileSource(world, capture),
    makeUnopenable: (world) => Promise.resolve(fileSource(world, undefined)),
    makeFailing: (world) => fileSource(world, damaged, { chunkBytes: 100_000, batchPackets: 1000 }),
  },
  {
    name: 'capture file, compressed',
    linkType: LinkType.ethernet,
    seconds: SECONDS,
    isLive: false,
    make: (world) => fileSource(world, gzipSync(capture)),
    makeFailing: (world) => fileSource(world, gzipSync(capture).subarray(0, -9)),
  },
  {
    name: 'capture from a stream',
    linkType: LinkType.ethernet,
    seconds: SECONDS,
    isLive: false,
    make: () => streamSource(capture),
    makeFailing: () => streamSource(cut, new Error('gone')),
  },
  {
    name: 'capture from a stream, compressed',
    linkType: LinkType.ethernet,
    seconds: SECONDS,
    isLive: false,
    make: () => streamSource(gzipSync(capture)),
    makeFailing: () => streamSource(gzipSync(capture).subarray(0, -9)),
  },
  {
    name: 'sockets of Node',
    linkType: LinkType.raw,
    seconds: SECONDS,
    isLive: true,
    make: (world) => socketSource(world),
    async makeUnopenable(world) {
      const holder = await world.socket();
      return socketSource(world, [0, holder.address().port]);
    },
  },
  ...((await requiresNative()) ? [mmsgFixture] : []),
  ...((await requiresNative()) && requiresRoot() ? [ringFixture] : []),
];
