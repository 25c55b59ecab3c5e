import { EtherType } from '../../wire/ether-type.ts';
import { at, type Condition, Load, never } from './condition.ts';

const ETHER_TYPE = 12;
const ETHERNET_LEN = 14;
const TAG_LEN = 4;
/** First byte of an IP header without link layer: its version. */
const VERSION = 0xf0;

/**
 * Where headers lie in frames of one link type, for the primitive at hand: behind each `vlan` all that follows it in the
 * expression lies one tag further, as in pcap-filter(7). Untagged primitives do not match tagged frames.
 */
export class FrameLayout {
  readonly isEthernet: boolean;
  #tags = 0;

  constructor(isEthernet: boolean) {
    this.isEthernet = isEthernet;
  }

  /** What follows lies behind one more tag. */
  enterTag(): void {
    this.#tags++;
  }

  /** Where the header behind the link layer begins. */
  get network(): number {
    return this.isEthernet ? ETHERNET_LEN + TAG_LEN * this.#tags : 0;
  }

  /** The frame says that it carries this. */
  etherType(value: number): Condition {
    if (this.isEthernet) return at(Load.half, ETHER_TYPE + TAG_LEN * this.#tags, value);
    if (value === EtherType.ipv4) return at(Load.byte, 0, 0x40, VERSION);
    if (value === EtherType.ipv6) return at(Load.byte, 0, 0x60, VERSION);
    return never;
  }
}
