import { dropAll } from '../../src/inputs/bpf/program.ts';
import { family, level, socketOption, socketType } from '../../src/native/constants.ts';
import { loadNative } from '../../src/native/library.ts';
import { attachProgram, bindSocket, closeDescriptor, openSocket } from '../../src/native/socket.ts';
import { DEFAULT_PORT } from '../../src/wire/vxlan.ts';
import { inNamespace, type TestNetwork } from '../support/namespaces.ts';

/** `netinet/in.h struct sockaddr_in` */
const SOCKADDR_IN = { bytes: 16, family: 0, port: 2 } as const;

/**
 * Does work while the VXLAN port of the receiver belongs to a socket that refuses all packets. Without it the kernel
 * answers each with ICMP, which slows down the sender; mirrortap holds its ports itself.
 */
export async function withPortHeld<T>({ receiver }: TestNetwork, work: () => Promise<T>): Promise<T> {
  const failure = await loadNative();
  if (failure !== undefined) throw new Error(failure);
  const held = inNamespace(receiver, () => {
    const descriptor = openSocket(family.AF_INET, socketType.SOCK_DGRAM, 0);
    attachProgram(descriptor, level.SOL_SOCKET, socketOption.SO_ATTACH_FILTER, dropAll);
    const address = Buffer.alloc(SOCKADDR_IN.bytes);
    address.writeUInt16LE(family.AF_INET, SOCKADDR_IN.family);
    address.writeUInt16BE(DEFAULT_PORT, SOCKADDR_IN.port);
    bindSocket(descriptor, address);
    return descriptor;
  });
  try {
    return await work();
  } finally {
    closeDescriptor(held);
  }
}
