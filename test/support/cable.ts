import { type Host, host } from '../../samples/make/packets.ts';
import { listenAddress } from '../../src/inputs/listen-address.ts';
import { family, socketType } from '../../src/native/constants.ts';
import { interfaceIndex } from '../../src/native/interface.ts';
import { sockaddrLl } from '../../src/native/layout.ts';
import { MessageVector, sendMessages } from '../../src/native/messages.ts';
import { bindSocket, closeDescriptor, openSocket } from '../../src/native/socket.ts';
import { inNamespace, type TestNetwork } from './namespaces.ts';

const FRAME_BYTES_MAX = 65_535;

/** The two hosts of a test network, to build frames from. */
export function hostsOf(network: TestNetwork): { sender: Host; receiver: Host } {
  const { senderAddress, senderAddress6, receiverAddress, receiverAddress6 } = network;
  return {
    sender: host(1, senderAddress, senderAddress6),
    receiver: host(2, receiverAddress, receiverAddress6),
  };
}

/** Puts Ethernet frames on an interface of a namespace, as they are. `loadNative` has been called. */
export function sendFrames(namespace: string, interfaceName: string, frames: readonly Uint8Array[]): void {
  inNamespace(namespace, () => {
    const descriptor = openSocket(family.AF_PACKET, socketType.SOCK_RAW, 0);
    try {
      const address = Buffer.alloc(sockaddrLl.bytes);
      address.writeUInt16LE(family.AF_PACKET, sockaddrLl.at.sll_family);
      address.writeInt32LE(interfaceIndex(interfaceName), sockaddrLl.at.sll_ifindex);
      bindSocket(descriptor, address);
      sendAll(descriptor, new MessageVector(1, FRAME_BYTES_MAX, 0, 0), frames);
    } finally {
      closeDescriptor(descriptor);
    }
  });
}

/** Sends UDP payloads from a namespace, as a program there would. */
export function sendPayloads(
  namespace: string,
  destination: string,
  port: number,
  payloads: readonly Uint8Array[],
): void {
  inNamespace(namespace, () => {
    const inet = destination.includes(':') ? family.AF_INET6 : family.AF_INET;
    const descriptor = openSocket(inet, socketType.SOCK_DGRAM, 0);
    try {
      const address = listenAddress(destination, port);
      const vector = new MessageVector(1, FRAME_BYTES_MAX, 0, address.length);
      vector.setDestination(address);
      sendAll(descriptor, vector, payloads);
    } finally {
      closeDescriptor(descriptor);
    }
  });
}

function sendAll(descriptor: number, vector: MessageVector, messages: readonly Uint8Array[]): void {
  for (const message of messages) {
    vector.bytes.set(message, vector.bufferAt(0));
    vector.setLength(0, message.length);
    while (sendMessages(descriptor, vector, 0, 1) === 0);
  }
}
