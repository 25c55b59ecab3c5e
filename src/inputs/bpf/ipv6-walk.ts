import { IpProtocol } from '../../wire/ip-protocol.ts';
import {
  add,
  at,
  ind,
  ja,
  jeq,
  jge,
  jne,
  jset,
  ld,
  ldb,
  ldh,
  ldx,
  len,
  lsh,
  imm,
  mem,
  st,
  type Step,
  sub,
  X,
} from './instructions.ts';

/** Extension headers that are followed; classic BPF has no loops, so that each costs instructions. */
export const EXTENSIONS_MAX = 4;

/** Bits of a fragment header's second half word: any fragment, or one that is not the first. */
export const ANY_FRAGMENT = 0xfff9;
export const LATER_FRAGMENT = 0xfff8;

/** Words of M that the walk writes; whoever uses it leaves them alone. */
const TYPE = 14;
const NEXT = 15;
/** Bytes of the shortest extension header. */
const EXTENSION_LEN = 8;

/** Labels that a walk leaves to. X is the offset of the header where it stopped. */
export interface WalkEnds {
  /** A header that is no extension header, or the one after EXTENSIONS_MAX: its number is in A. */
  readonly found: string;
  /** A fragment header with one of the bits that were asked for, whole. */
  readonly fragment: string;
  /** An extension header that does not end within the packet. */
  readonly cut: string;
}

/**
 * Follows IPv6 extension headers as `wire/ipv6-extension.ts` does: hop-by-hop, destination options, routing,
 * authentication, and fragment headers without `fragmentBits`.
 *
 * Before: A the number of the first header, X its offset.
 *
 * @param name begins the names of the walk's own labels
 */
export function walkExtensions(name: string, fragmentBits: number, ends: WalkEnds): Step[] {
  const steps: Step[] = [];
  for (let index = 0; index < EXTENSIONS_MAX; index++) {
    const own = (label: string): string => `${name}.${index}.${label}`;
    steps.push(
      jeq(IpProtocol.hopByHop, own('extension')),
      jeq(IpProtocol.routing, own('extension')),
      jeq(IpProtocol.destinationOptions, own('extension')),
      jeq(IpProtocol.ah, own('extension')),
      jne(IpProtocol.fragment, ends.found),
      at(own('extension')),
      st(TYPE),
      // a load past the end would end the program, and with it what the addresses say
      ld(len),
      sub(EXTENSION_LEN),
      jge(X, undefined, ends.cut),
      ld(mem(TYPE)),
      jeq(IpProtocol.fragment, own('fragment')),
      jeq(IpProtocol.ah, own('authentication')),
      ldb(ind(1)),
      add(1),
      lsh(3),
      ja(own('next')),
      at(own('authentication')),
      ldb(ind(1)),
      add(2),
      lsh(2),
      ja(own('next')),
      at(own('fragment')),
      ldh(ind(2)),
      jset(fragmentBits, ends.fragment),
      ld(imm(EXTENSION_LEN)),
      at(own('next')),
      add(X),
      st(NEXT),
      ldb(ind(0)),
      ldx(mem(NEXT)),
    );
  }
  return [...steps, ja(ends.found)];
}
