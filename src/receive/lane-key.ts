/**
 * A lane as numbers: one 31-bit key and the two halves of the endpoint id.
 *
 *   bit 28     set while the slot belongs to the lane
 *   bit 27     the payload is raw IP
 *   bit 26     the GENEVE option with the endpoint is present
 *   bit 24-25  `Encapsulation`
 *   bit 0-23   VNI
 */
import { type Encapsulation, type Lane, makeLane } from '../packet/lane.ts';
import * as linkTypes from '../packet/link-type.ts';

// for speed: see "Constants" in src/README.md
const { LinkType } = linkTypes;

/** Set in the key of a slot that belongs to a lane. */
export const KEY_USED = 1 << 28;

const KEY_RAW = 1 << 27;
const KEY_ENDPOINT = 1 << 26;
const ENCAPSULATION_SHIFT = 24;
const ENCAPSULATION_MASK = 3;
const KEY_VNI = 0xff_ffff;

/** @param vni 0..0xffffff */
export function makeKey(
  encapsulation: Encapsulation,
  vni: number,
  hasEndpoint: number,
  linkType: linkTypes.LinkType,
): number {
  return (
    KEY_USED |
    (linkType === LinkType.raw ? KEY_RAW : 0) |
    (hasEndpoint === 0 ? 0 : KEY_ENDPOINT) |
    (encapsulation << ENCAPSULATION_SHIFT) |
    vni
  );
}

/** Says whether the key is that of a lane whose payload is raw IP. */
export function isRaw(key: number): boolean {
  return (key & KEY_RAW) !== 0;
}

/** Says whether the key alone does not say which lane it is. */
export function needsEndpoint(key: number): boolean {
  return (key & KEY_ENDPOINT) !== 0;
}

/** The lane that a key tells; `high` and `low` are the halves of the endpoint id. Allocates. */
export function laneOfKey(key: number, high: number, low: number): Lane {
  return makeLane(
    ((key >>> ENCAPSULATION_SHIFT) & ENCAPSULATION_MASK) as Encapsulation,
    key & KEY_VNI,
    (key & KEY_ENDPOINT) !== 0,
    high,
    low,
    isRaw(key) ? LinkType.raw : LinkType.ethernet,
  );
}

/** Spreads keys over a table whose length is a power of two: 31 bits. */
export function hashKey(key: number, high: number, low: number): number {
  let mixed = Math.imul(key, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b) ^ Math.imul(low, 0xc2b2ae35);
  mixed ^= mixed >>> 15;
  return Math.imul(mixed, 0x2c1b3c6d) >>> 1;
}
