import type { MirrorError } from '../observe/error.ts';
import type { SteeringOptions } from './bpf/steering.ts';

/** What of a packet decides its worker, by setting, in words for the log. */
const names: Readonly<Record<SteeringOptions['steering'], string>> = {
  flow: 'inner addresses',
  'flow-ports': 'inner addresses and ports',
  vni: 'VNI',
};

/** What decides which of several workers gets a packet, in words for the log. */
export function steeringName(
  steering: SteeringOptions['steering'],
  refusal: MirrorError | undefined,
): string {
  if (refusal === undefined) return names[steering];
  return `outer addresses and ports (the kernel refused the program: ${String(refusal.context['errno'])})`;
}
