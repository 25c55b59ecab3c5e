import { networkInterfaces } from 'node:os';
import { existsSync } from 'node:fs';
import { PACKET_LENGTH_MAX, PACKET_LENGTH_MIN, WHOLE_FRAME } from '../../mirror/session.ts';
import { MirrorError } from '../../observe/error.ts';
import * as geneve from '../../wire/geneve.ts';
import * as vxlan from '../../wire/vxlan.ts';

/** `mirrortap send` as it was typed: every value is text. */
export interface SendOptions {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly vni?: string | undefined;
  readonly packetLength?: string | undefined;
  /** `true` without an id, else 16 hex digits. */
  readonly gwlb?: string | boolean | undefined;
  readonly rate?: string | undefined;
  readonly loop?: string | undefined;
  readonly report?: string | undefined;
  /** The long form, `-c FILE`. */
  readonly config?: string | undefined;
}

/** The same, checked. */
export interface SendPlan {
  /** A capture file; `-` for standard input. */
  readonly from: string;
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
  readonly vni: number;
  /** 1..8500, or `WHOLE_FRAME`. */
  readonly packetLength: number;
  /** The endpoint's id, high and low 32 bits, where a Gateway Load Balancer is played. */
  readonly gwlb: EndpointId | undefined;
  /** UDP port of the VXLAN packet that the Gateway Load Balancer carries; 4789 unless given. */
  readonly vxlanPort?: number;
  /** A number: packets a second. */
  readonly rate: 'realtime' | 'max' | number;
  /** How often the file is sent; `Infinity` until stopped. */
  readonly passes: number;
  readonly report: 'text' | 'json';
}

export interface EndpointId {
  readonly high: number;
  readonly low: number;
}

/** The endpoint id of `--gwlb` without a value: `gwlb-<vni>-0123456789abcdef` is the lane it ends up on. */
const DEFAULT_ENDPOINT_ID = '0123456789abcdef';
/** More packets a second than any sender here can reach. */
const RATE_MAX = 100_000_000;
const LOOP_MAX = 1_000_000_000;

/**
 * Checks what was typed. Throws a `MirrorError`: `USAGE` with the option, what was found and what was expected;
 * `NOT_IN_THIS_VERSION` for an interface as source, and for the long form.
 */
export function planSend(options: SendOptions): SendPlan {
  if (options.config !== undefined) {
    throw new MirrorError(
      'NOT_IN_THIS_VERSION',
      'send -c FILE (sources, targets, filters and sessions) is not in this version: use --from, --to and --vni.',
      { option: '-c' },
    );
  }
  const gwlb = endpoint(options.gwlb);
  const passes = integer('--loop', options.loop ?? '1', 0, LOOP_MAX);
  const from = required('--from', options.from, 'a capture file, or - for standard input');
  if (from === '-' && passes !== 1) {
    throw usage('--loop', String(options.loop), '1 while the capture comes from standard input');
  }
  refuseInterface(from);
  const to = required('--to', options.to, 'HOST or HOST:PORT');
  return {
    from,
    ...hostAndPort(to, gwlb === undefined ? vxlan.DEFAULT_PORT : geneve.DEFAULT_PORT),
    vni: integer(
      '--vni',
      required('--vni', options.vni, `a number within 0..${vxlan.VNI_MAX}`),
      0,
      vxlan.VNI_MAX,
    ),
    packetLength: packetLength(options.packetLength),
    gwlb,
    rate: rate(options.rate ?? 'realtime'),
    passes: passes === 0 ? Infinity : passes,
    report: report(options.report ?? 'text'),
  };
}

/** `HOST`, `HOST:PORT`, `[IPV6]`, `[IPV6]:PORT` or a bare IPv6 address. */
function hostAndPort(text: string, defaultPort: number): { host: string; port: number } {
  const isBareIpv6 = !text.startsWith('[') && text.indexOf(':') !== text.lastIndexOf(':');
  if (isBareIpv6) return { host: text, port: defaultPort };
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(.*))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw usage('--to', text, 'HOST, HOST:PORT or [IPV6]:PORT');
  const port = match?.[3];
  return { host, port: port === undefined ? defaultPort : integer('--to', port, 1, 65_535, 'a port') };
}

function packetLength(text: string | undefined): number {
  return text === undefined
    ? WHOLE_FRAME
    : integer('--packet-length', text, PACKET_LENGTH_MIN, PACKET_LENGTH_MAX);
}

function endpoint(value: string | boolean | undefined): EndpointId | undefined {
  if (value === undefined || value === false) return undefined;
  const text = value === true ? DEFAULT_ENDPOINT_ID : value;
  if (!/^[0-9a-f]{16}$/i.test(text))
    throw usage('--gwlb', text, 'no value, or an endpoint id of 16 hex digits');
  return { high: Number.parseInt(text.slice(0, 8), 16), low: Number.parseInt(text.slice(8), 16) };
}

function rate(text: string): SendPlan['rate'] {
  return text === 'realtime' || text === 'max'
    ? text
    : integer('--rate', text, 1, RATE_MAX, 'realtime, max, or packets a second');
}

function report(text: string): SendPlan['report'] {
  if (text === 'text' || text === 'json') return text;
  throw usage('--report', text, 'text or json');
}

/** The name of an interface, where no file has that name, is meant as an interface. */
function refuseInterface(from: string): void {
  if (from === '-' || existsSync(from) || networkInterfaces()[from] === undefined) return;
  throw new MirrorError(
    'NOT_IN_THIS_VERSION',
    `Sending from an interface (--from ${from}) is not in this version: name a capture file.`,
    { option: '--from', found: from },
  );
}

function required(option: string, value: string | undefined, expected: string): string {
  if (value === undefined || value === '') throw usage(option, 'nothing', expected);
  return value;
}

function integer(option: string, text: string, min: number, max: number, expected = 'a number'): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw usage(option, text, `${expected} within ${min}..${max}`);
}

function usage(option: string, found: string, expected: string): MirrorError {
  return new MirrorError('USAGE', `${option}: expected ${expected}, found ${found}.`, {
    option,
    found,
    expected,
  });
}
