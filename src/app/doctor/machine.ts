import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import type { Capabilities, Facts } from './facts.ts';

/** Reads a file; `undefined` where that is not possible. */
export type ReadText = (path: string) => string | undefined;

export const readText: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** What procfs, sysfs and Node say at once. */
export type MachineFacts = Pick<
  Facts,
  | 'platform'
  | 'nodeVersion'
  | 'cores'
  | 'isEc2'
  | 'capabilities'
  | 'receiveBufferMaxBytes'
  | 'availableBytes'
  | 'memoryLimitBytes'
  | 'openFilesMax'
>;

export function machineFacts(read: ReadText = readText): MachineFacts {
  const limitBytes = process.constrainedMemory();
  return {
    platform: process.platform,
    nodeVersion: process.versions.node,
    cores: availableParallelism(),
    isEc2: isEc2(read),
    capabilities: capabilitiesOf(read('/proc/self/status')),
    receiveBufferMaxBytes: wholeNumber(read('/proc/sys/net/core/rmem_max')),
    availableBytes: freemem(),
    // no limit is told as 0, or as more than there is
    memoryLimitBytes: limitBytes > 0 && limitBytes < totalmem() ? limitBytes : undefined,
    openFilesMax: openFilesMax(read('/proc/self/limits')),
  };
}

/** Nitro instances say it in the table of the firmware, older ones in the hypervisor's (EC2 User Guide, "Detect EC2 instances"). */
export function isEc2(read: ReadText): boolean {
  const vendor = read('/sys/class/dmi/id/sys_vendor')?.trim();
  return vendor === 'Amazon EC2' || read('/sys/hypervisor/uuid')?.startsWith('ec2') === true;
}

/** The lines `CapEff` and `CapPrm` of /proc/self/status (proc_pid_status(5)): hexadecimal masks. */
export function capabilitiesOf(status = ''): Capabilities | undefined {
  const [, effective] = /^CapEff:\s*([\da-f]+)$/m.exec(status) ?? [];
  const [, permitted] = /^CapPrm:\s*([\da-f]+)$/m.exec(status) ?? [];
  if (effective === undefined || permitted === undefined) return undefined;
  return { effective: BigInt(`0x${effective}`), permitted: BigInt(`0x${permitted}`) };
}

/** The soft limit of the line `Max open files` of /proc/self/limits (proc_pid_limits(5)). */
export function openFilesMax(limits: string | undefined): number | undefined {
  const [, limit] = /^Max open files\s+(\d+|unlimited)/m.exec(limits ?? '') ?? [];
  return limit === 'unlimited' ? Infinity : wholeNumber(limit);
}

/** MTU of an interface, in bytes of IP packet. */
export function mtuOf(name: string, read: ReadText = readText): number | undefined {
  return wholeNumber(read(`/sys/class/net/${name}/mtu`));
}

function wholeNumber(text: string | undefined): number | undefined {
  const number = Number.parseInt(text ?? '', 10);
  return Number.isNaN(number) ? undefined : number;
}
