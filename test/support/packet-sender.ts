import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { commandIn, type TestNetwork } from './namespaces.ts';

const program = join(import.meta.dirname, 'programs/packet-sender.ts');

/** What the sender's program is told when it starts. */
export interface SenderShape {
  readonly interface: string;
  readonly senderAddress: string;
  readonly receiverAddress: string;
  readonly innerBytes: number;
  readonly connections: number;
  readonly vnis: number;
  readonly sourcePorts: number;
  /** PACKET_QDISC_BYPASS: past the queue of the device. */
  readonly bypassQueue: boolean;
}

/** One load. It ends with the first limit. */
export interface SenderOrder {
  /** 0: as fast as the kernel takes them. */
  readonly packetsPerSecond: number;
  readonly seconds: number;
  readonly packets: number;
}

/** What became of an order. */
export interface Sent {
  /** Packets that the kernel took. */
  readonly sent: number;
  readonly seconds: number;
  /** Packets a second. */
  readonly rate: number;
  /** Calls of which the kernel took nothing, for want of room in a queue. */
  readonly refused: number;
}

/** A sender in the sender's namespace, with its packets ready. */
export interface PacketSender {
  /** Sends; no second order before the first is done. At a rate it leaves what it could not send in time. */
  send(order: Partial<SenderOrder>): Promise<Sent>;
  end(): Promise<void>;
}

export type SenderOptions = Partial<Omit<SenderShape, 'interface' | 'senderAddress' | 'receiverAddress'>>;

/** VXLAN packets of 512 inner connections on 16 VNIs behind 128 outer source ports, unless `options` say otherwise. */
export async function startSender(network: TestNetwork, options: SenderOptions = {}): Promise<PacketSender> {
  const shape: SenderShape = {
    interface: network.senderInterface,
    senderAddress: network.senderAddress,
    receiverAddress: network.receiverAddress,
    innerBytes: 128,
    connections: 512,
    vnis: 16,
    sourcePorts: 128,
    bypassQueue: true,
    ...options,
  };
  const [command = '', ...args] = commandIn(network.sender, [
    process.execPath,
    program,
    JSON.stringify(shape),
  ]);
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close').then(([status]: (number | null)[]) => {
    if (status !== 0) throw new Error(`The packet sender ended with status ${status}.`);
  });
  // whoever waits for a line or for the end hears of it
  ended.catch(() => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = (): Promise<string> =>
    Promise.race([lines.next().then(({ value }) => String(value)), ended.then(endedEarly)]);
  await line();
  return {
    send: async ({ packetsPerSecond = 0, seconds = 1, packets = Number.MAX_SAFE_INTEGER }) => {
      child.stdin.write(`${JSON.stringify({ packetsPerSecond, seconds, packets })}\n`);
      return JSON.parse(await line()) as Sent;
    },
    end: () => {
      child.stdin.end();
      return ended;
    },
  };
}

function endedEarly(): never {
  throw new Error('The packet sender ended before it was told to.');
}
