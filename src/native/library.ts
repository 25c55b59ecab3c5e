import { endianness } from 'node:os';
import { assert } from '../wire/assert.ts';

/** Memory whose address a call takes: anything that V8 keeps outside its moving heap, or the address itself. */
type Memory = Uint8Array | bigint | null;

/** The calls of the C library, with their arguments as C has them; -1 (or 0) says failure, `errno` why. */
export interface SystemCalls {
  errno: () => number;
  address: (memory: Uint8Array) => bigint;
  view: (address: bigint, bytes: number) => ArrayBuffer;
  socket: (family: number, type: number, protocol: number) => number;
  bind: (descriptor: number, address: Memory, bytes: number) => number;
  getsockname: (descriptor: number, address: Memory, bytes: Memory) => number;
  setsockopt: (descriptor: number, level: number, option: number, value: Memory, bytes: number) => number;
  getsockopt: (descriptor: number, level: number, option: number, value: Memory, bytes: Memory) => number;
  close: (descriptor: number) => number;
  mmap: (
    address: Memory,
    bytes: number,
    protection: number,
    flags: number,
    descriptor: number,
    at: number,
  ) => bigint;
  munmap: (address: Memory, bytes: number) => number;
  poll: (descriptors: Memory, count: number, timeoutMs: number) => number;
  recvmmsg: (descriptor: number, messages: Memory, count: number, flags: number, timeout: Memory) => number;
  sendmmsg: (descriptor: number, messages: Memory, count: number, flags: number) => number;
  if_nametoindex: (name: string) => number;
  ioctl: (descriptor: number, request: number, argument: Memory) => number;
  adjtimex: (clock: Memory) => number;
  capget: (header: Memory, data: Memory) => number;
  capset: (header: Memory, data: Memory) => number;
  mkfifo: (path: string, mode: number) => number;
}

/** C declarations of the calls above, types of fixed size for `socklen_t`, `nfds_t` and `off_t`. */
const declarations = {
  socket: 'int socket(int, int, int)',
  bind: 'int bind(int, void*, uint32_t)',
  getsockname: 'int getsockname(int, void*, void*)',
  setsockopt: 'int setsockopt(int, int, int, void*, uint32_t)',
  getsockopt: 'int getsockopt(int, int, int, void*, void*)',
  close: 'int close(int)',
  mmap: 'void* mmap(void*, size_t, int, int, int, int64_t)',
  munmap: 'int munmap(void*, size_t)',
  poll: 'int poll(void*, uint64_t, int)',
  recvmmsg: 'int recvmmsg(int, void*, uint32_t, int, void*)',
  sendmmsg: 'int sendmmsg(int, void*, uint32_t, int)',
  if_nametoindex: 'uint32_t if_nametoindex(const char*)',
  ioctl: 'int ioctl(int, uint64_t, void*)',
  adjtimex: 'int adjtimex(void*)',
  capget: 'int capget(void*, void*)',
  capset: 'int capset(void*, void*)',
  mkfifo: 'int mkfifo(const char*, uint32_t)',
} as const satisfies Partial<Record<keyof SystemCalls, string>>;

/** Their numbers are those of `constants.ts`. */
const ARCHITECTURES = ['x64', 'arm64', 'riscv64', 'loong64'];

let calls: SystemCalls | undefined;
let loading: Promise<string | undefined> | undefined;

/**
 * Makes system calls possible in this thread; to be awaited once before any other function of this room is called.
 *
 * @returns why they are not possible here, a sentence; `undefined`: they are
 */
export function loadNative(): Promise<string | undefined> {
  loading ??= load();
  return loading;
}

/** The calls, after `loadNative` has said that they are there. */
export function systemCalls(): SystemCalls {
  assert(calls !== undefined, 'loadNative() comes before the first system call');
  return calls;
}

/** Why this machine is none whose calls are known; `undefined`: it is one. */
export function unsupported(platform: string, architecture: string, order: string): string | undefined {
  if (platform !== 'linux') return `This system is ${platform}, not Linux.`;
  if (order !== 'LE' || !ARCHITECTURES.includes(architecture)) {
    return `The architecture ${architecture} is none of ${ARCHITECTURES.join(', ')}.`;
  }
  return undefined;
}

async function load(): Promise<string | undefined> {
  const reason = unsupported(process.platform, process.arch, endianness());
  if (reason !== undefined) return reason;
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(null);
    const functions = Object.entries(declarations).map(([name, text]) => [name, library.func(text)]);
    calls = {
      ...(Object.fromEntries(functions) as Pick<SystemCalls, keyof typeof declarations>),
      errno: () => koffi.errno(),
      address: (memory) => koffi.address(memory),
      view: (address, bytes) => koffi.view(address, bytes),
    };
    return undefined;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return `The library koffi, which makes system calls, cannot be loaded: ${why.split('\n', 1)[0]?.replace(/\.$/, '')}.`;
  }
}
