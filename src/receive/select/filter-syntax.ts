import type { ProtocolName } from './filter-names.ts';

/** A filter expression as it was understood; see filter-parser.ts. */
export type Expression =
  | { readonly kind: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly of: Expression }
  | Primitive;

/** Which end of a packet an address or port is asked of. */
export type Direction = 'src' | 'dst' | 'src or dst' | 'src and dst';

export type Primitive =
  /** An IPv4 address or network, in IPv4, ARP or RARP headers; in all of them where `of` is left out. */
  | {
      readonly kind: 'ipv4';
      readonly of: 'ip' | 'arp' | 'rarp' | undefined;
      readonly direction: Direction;
      readonly address: number;
      readonly mask: number;
    }
  /** An IPv6 address or network as four words. */
  | {
      readonly kind: 'ipv6';
      readonly direction: Direction;
      readonly words: readonly number[];
      readonly masks: readonly number[];
    }
  /** An Ethernet address: its first two and its last four bytes. */
  | { readonly kind: 'mac'; readonly direction: Direction; readonly high: number; readonly low: number }
  /** Ports `first .. last` of the transport protocols with these numbers. */
  | {
      readonly kind: 'port';
      readonly protocols: readonly number[];
      readonly direction: Direction;
      readonly first: number;
      readonly last: number;
    }
  /** What IPv4, IPv6 or either carries. */
  | { readonly kind: 'protocol'; readonly version: 4 | 6 | undefined; readonly number: number }
  | { readonly kind: 'etherType'; readonly value: number }
  | { readonly kind: 'vlan'; readonly id: number | undefined }
  | { readonly kind: 'cast'; readonly to: 'broadcast' | 'multicast' | 'ip multicast' | 'ip6 multicast' }
  /** Two numbers compared. */
  | {
      readonly kind: 'relation';
      readonly operator: RelationOperator;
      readonly left: Arithmetic;
      readonly right: Arithmetic;
    };

export type RelationOperator = '=' | '!=' | '<' | '<=' | '>' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>';

/** Whole numbers of 32 bits without sign, as classic BPF has them. */
export type Arithmetic =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'length' }
  | {
      readonly kind: 'bytes';
      readonly header: ProtocolName;
      readonly index: Arithmetic;
      readonly size: 1 | 2 | 4;
    }
  | {
      readonly kind: 'binary';
      readonly operator: ArithmeticOperator;
      readonly left: Arithmetic;
      readonly right: Arithmetic;
    };
