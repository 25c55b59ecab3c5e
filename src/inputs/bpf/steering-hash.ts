/**
 * How steering mixes what it hashes, in instructions of classic BPF. All numbers are 32 bits, without sign.
 *
 *   fold(h, w)   x = (h ^ w) * 0x85ebca6b;  x = x ^ (x >>> 13);  x * 0xc2b2ae35
 *   finish(h)    x = fold(0, h ^ (h >>> 16));  x ^ (x >>> 16)
 *
 *   an IPv4 address a         fold(0, a)
 *   an IPv6 address           fold(fold(fold(fold(0, w0), w1), w2), w3) of its words
 *   two addresses             finish(of one + of the other): the same in both directions
 *   with two ports            finish(the same sum + fold(0, one port) + fold(0, the other))
 *   a VNI                     finish(vni)
 *
 * Each address is mixed before the two are added: pools of sequential addresses would meet in few sums (and in fewer
 * exclusive ors). `finish` is MurmurHash3's 32-bit finaliser (A. Appleby, public domain), `fold` the middle of it.
 */
import * as ipv4 from '../../wire/ipv4.ts';
import * as ipv6 from '../../wire/ipv6.ts';
import {
  add,
  and,
  at,
  imm,
  ind,
  ja,
  jeq,
  ld,
  ldb,
  ldh,
  ldx,
  mem,
  mod,
  mul,
  retA,
  rsh,
  type Source,
  st,
  type Step,
  tax,
  X,
  xor,
} from './instructions.ts';

/** Words of M. The walk of extension headers has its own. */
export const Word = {
  /** Offset of the IP header whose addresses are hashed. */
  ip: 0,
  /** What the ports add to the sum. */
  ports: 1,
  /** Offset of the inner frame. */
  frame: 2,
  /** The word of the tunnel header that holds the VNI in its upper 24 bits. */
  vni: 3,
  scratch: 4,
  sum: 5,
} as const;

/** A = fold(0, A); X is lost. */
const fold: readonly Step[] = [mul(0x85eb_ca6b), tax, rsh(13), xor(X), mul(0xc2b2_ae35)];

/** Ends the program with finish(A), reduced to 0 .. members - 1 where their number is given. */
export function finish(members: number | undefined): Step[] {
  const reduced = members === undefined ? [] : [mod(members)];
  return [tax, rsh(16), xor(X), ...fold, tax, rsh(16), xor(X), ...reduced, retA];
}

/** Nothing is added for ports, until `portSteps` says otherwise. */
export const noPorts: readonly Step[] = [ld(imm(0)), st(Word.ports)];

/** Notes what two ports add, by where they are loaded from: the first four bytes of TCP and UDP. */
export function portSteps(source: Source, destination: Source): Step[] {
  return [
    ldh(destination),
    st(Word.scratch),
    ldh(source),
    ...fold,
    st(Word.ports),
    ld(mem(Word.scratch)),
    ...fold,
    ldx(mem(Word.ports)),
    add(X),
    st(Word.ports),
  ];
}

/** A = sum of the folded addresses, of the folded ports too where they count, of the IP header at M[ip]. */
export function addressSteps(withPorts: boolean): Step[] {
  const word = (offset: number): Step[] => [ldx(mem(Word.ip)), ld(ind(offset))];
  return [
    ldx(mem(Word.ip)),
    ldb(ind(0)),
    and(0xf0),
    jeq(0x60, 'sum6'),
    ...foldAddresses(4, word),
    ja('sum'),
    at('sum6'),
    ...foldAddresses(6, word),
    at('sum'),
    ldx(mem(Word.sum)),
    add(X),
    ...(withPorts ? [ldx(mem(Word.ports)), add(X)] : []),
  ];
}

/** M[sum] and A = the two folded addresses, as the label `sum` wants them. `word` loads the one at an offset of the header. */
export function foldAddresses(version: 4 | 6, word: (offset: number) => Step[]): Step[] {
  const { SOURCE, DESTINATION, ADDRESS_LEN } = version === 4 ? ipv4 : ipv6;
  return [
    ...foldAddress(SOURCE, ADDRESS_LEN, word),
    st(Word.sum),
    ...foldAddress(DESTINATION, ADDRESS_LEN, word),
  ];
}

function foldAddress(offset: number, bytes: number, word: (offset: number) => Step[]): Step[] {
  const steps: Step[] = [...word(offset), ...fold];
  for (let next = 4; next < bytes; next += 4) {
    steps.push(st(Word.scratch), ...word(offset + next), ldx(mem(Word.scratch)), xor(X), ...fold);
  }
  return steps;
}
