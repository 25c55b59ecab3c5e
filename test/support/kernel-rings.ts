import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Transport, udpDatagram } from '../../samples/make/packets.ts';
import type { IntakeSet } from '../../src/inputs/intake-set.ts';
import { type OpenRingsOptions, openRingsNow } from '../../src/inputs/ring/open-rings.ts';
import type { RingHandle } from '../../src/inputs/ring/ring-handle.ts';
import { RingInput } from '../../src/inputs/ring/ring-input.ts';
import { inNamespace, requiresNamespaces, type TestNetwork } from './namespaces.ts';
import { requiresNative } from './native.ts';
import { Collector, type Delivered } from './socket-traffic.ts';

/** Tunnel ports of the rings. */
export const vxlan = 4789;
export const geneve = 6081;

/** True where packet rings can be opened in namespaces. */
export async function requiresRings(): Promise<boolean> {
  return [requiresNamespaces(), await requiresNative()].every(Boolean);
}

/** The rings of the receiver of a test network: one worker, all interfaces, 4 MiB, unless `options` say otherwise. */
export function ringsOf(
  network: TestNetwork,
  options: Partial<OpenRingsOptions> = {},
): IntakeSet<RingHandle> {
  return inNamespace(network.receiver, () =>
    openRingsNow({
      workers: 1,
      address: '0.0.0.0',
      vxlanPorts: [vxlan],
      genevePorts: [geneve],
      interface: 'auto',
      ringBytes: 4_194_304,
      retireMs: 8,
      steering: 'flow',
      ...options,
    }),
  );
}

/** What runs while a test does its work. */
export interface RunningRings {
  readonly set: IntakeSet<RingHandle>;
  /** One for each worker. */
  readonly workers: readonly Collector[];
  /** Reads what the kernel still holds, and stops. */
  stop(): Promise<void>;
}

/** Does work while the rings are read, and closes them afterwards. */
export async function withRings(
  network: TestNetwork,
  options: Partial<OpenRingsOptions>,
  work: (running: RunningRings) => Promise<void>,
): Promise<void> {
  const set = ringsOf(network, options);
  const inputs = set.handles.map((rings) => new RingInput({ rings }));
  await Promise.all(inputs.map((input) => input.open()));
  const workers = inputs.map((input) => new Collector(input));
  const stop = async (): Promise<void> => {
    await Promise.all(inputs.map((input) => input.close()));
    await Promise.all(workers.map((worker) => worker.ended));
  };
  try {
    await work({ set, workers, stop });
  } finally {
    await stop();
    set.close();
  }
}

export function datagram(text: string, port = vxlan): Transport {
  return udpDatagram(40_000, port, Buffer.from(text));
}

/** Payloads of UDP packets, as text, in order. */
export function textsOf(packets: readonly Delivered[]): string[] {
  return packets.map(({ bytes }) => {
    const headers = (bytes[0] ?? 0) >>> 4 === 4 ? 28 : 48;
    return bytes.toString('latin1', headers);
  });
}

/** A command of `ip` on the receiver. */
export function ip(network: TestNetwork, command: string): void {
  execFileSync('ip', ['-netns', network.receiver, ...command.split(' ')]);
}

/** A counter of the receiver's IP stack: `Icmp6OutDestUnreachs`, or `Icmp OutDestUnreachs`. */
export function counted(network: TestNetwork, name: string): number {
  const [table = '', field] = name.split(' ');
  const text = inNamespace(network.receiver, () =>
    readFileSync(`/proc/thread-self/net/${field === undefined ? 'snmp6' : 'snmp'}`, 'utf8'),
  );
  const lines = text.split('\n').map((line) => line.split(/:?\s+/));
  if (field === undefined) return Number(lines.find(([first]) => first === table)?.[1]);
  const [heads = [], values = []] = lines.filter(([first]) => first === table);
  return Number(values[heads.indexOf(field)]);
}
