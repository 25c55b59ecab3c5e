import { parseAddress } from '../wire/address.ts';
import { setPort, socketAddressOf } from './socket-address.ts';

/** Senders whose structure is remembered; past it the memory starts afresh. */
const SENDERS_MAX = 4096;

/** Who sent a datagram, from the text of Node's sockets to the structure of the kernel. */
export class NamedSenders {
  readonly #senders = new Map<string, DataView>();

  /**
   * A `sockaddr_in` or `sockaddr_in6`; valid until the next call.
   *
   * @param address as the socket API gives it, zone (`%eth0`) included; 0.0.0.0 where it is no address
   */
  socketAddress(address: string, port: number): DataView {
    const name = this.#senders.get(address) ?? this.#learn(address);
    setPort(name, 0, port);
    return name;
  }

  #learn(address: string): DataView {
    if (this.#senders.size >= SENDERS_MAX) this.#senders.clear();
    const zone = address.indexOf('%');
    const parsed = parseAddress(zone < 0 ? address : address.slice(0, zone));
    const bytes = socketAddressOf(parsed ?? { version: 4, bytes: new Uint8Array(4) }, 0);
    const name = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#senders.set(address, name);
    return name;
  }
}
