import type { Config } from '../../config/settings.ts';
import { system } from '../../inputs/ring/interfaces.ts';
import { MirrorError } from '../../observe/error.ts';
import { PacketNetwork } from '../../sinks/inject/network.ts';
import type { MirrorFact } from './facts.ts';

/** Looks up the interface of every sink that writes to one. Nothing is written. */
export async function tryMirrors({ sinks }: Pick<Config, 'sinks'>): Promise<MirrorFact[]> {
  const facts: MirrorFact[] = [];
  for (const [sink, { kind, enabled, interface: wanted }] of Object.entries(sinks)) {
    if (kind === 'inject' && enabled) facts.push(await tryMirror(sink, String(wanted)));
  }
  return facts;
}

async function tryMirror(sink: string, interfaceName: string): Promise<MirrorFact> {
  const isPattern = interfaceName.includes('{');
  const fact = { sink, interfaceName, isPattern, hasAddress: false, mtuBytes: undefined };
  const network = new PacketNetwork();
  try {
    await network.open();
    if (isPattern) return { ...fact, refusal: undefined };
    const { mtuBytes } = network.find(interfaceName);
    const hasAddress = system.withAddress().includes(interfaceName);
    return { ...fact, refusal: undefined, mtuBytes, hasAddress };
  } catch (error) {
    if (!(error instanceof MirrorError)) throw error;
    return { ...fact, refusal: error.message };
  } finally {
    network.close();
  }
}
