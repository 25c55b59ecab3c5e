import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { expect } from 'vitest';
import { pause } from './appliance.ts';
import { runCommand } from './command.ts';

const samples = join(import.meta.dirname, '../../samples');

/** One `mirrortap send`: a sample, the VNI it is sent under, and further options. */
export type Sending = readonly [sample: string, vni: number, ...more: readonly string[]];

/** Has `mirrortap send` send all of these at a time. */
export async function sendSamples(target: string, sendings: readonly Sending[]): Promise<void> {
  const runs = sendings.map(([sample, vni, ...more]) => {
    const args = ['--from', join(samples, sample), '--to', target, '--vni', String(vni), '--rate', '2000'];
    return runCommand(['send', ...args, '--log-level', 'error', ...more]);
  });
  for (const { status, stderr } of await Promise.all(runs)) {
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }
}

/** Sends UDP payloads as they are, one after the other. */
export async function sendPayloads(
  host: string,
  port: number,
  payloads: readonly Uint8Array[],
): Promise<void> {
  const socket = createSocket('udp4');
  for (const payload of payloads) {
    await new Promise<void>((resolve, reject) =>
      socket.send(payload, port, host, (error) => (error === null ? resolve() : reject(error))),
    );
    await pause(1);
  }
  socket.close();
}

/** An address on loopback that no other test uses, so that it may have port 4789 for itself. */
export function ownLoopbackAddress(): string {
  const part = (): number => 1 + Math.floor(Math.random() * 254);
  return `127.${part()}.${part()}.${part()}`;
}
