/** What the two ends of the conversations of a bench say to each other: enough for every program to know the protocol. */
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';

/** Names are written in place: eight hexadecimal digits, and these. */
const NAME_DIGITS = 8;
const DOMAIN = 'bench.example';
const NO_NAME = '0'.repeat(NAME_DIGITS);
/** TLS record, RFC 8446 section 5.1: type, legacy version, length. */
const RECORD_HEADER_LEN = 5;
const APPLICATION_DATA = 0x17;
const HANDSHAKE = 0x16;
const LEGACY_VERSION = 0x0303;

/** Bytes with a name in them. */
export class NamedBytes {
  readonly bytes: Buffer;
  readonly #places: readonly number[];

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    const places: number[] = [];
    for (let at = bytes.indexOf(NO_NAME); at >= 0; at = bytes.indexOf(NO_NAME, at + NAME_DIGITS))
      places.push(at);
    this.#places = places;
  }

  /** The same bytes, with the name of this number in them until the next call. */
  of(number: number): Buffer {
    const digits = number.toString(16).padStart(NAME_DIGITS, '0');
    for (const at of this.#places) this.bytes.write(digits, at, 'latin1');
    return this.bytes;
  }
}

/** What Node says first to a TLS server, with one key share so that it fits into one segment. */
export function clientHello(): Promise<NamedBytes> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer) => {
        resolve(new NamedBytes(Buffer.from(chunk)));
        wire.destroy();
      },
    });
    const options = {
      servername: `${NO_NAME}.${DOMAIN}`,
      ecdhCurve: 'X25519',
      ALPNProtocols: ['h2', 'http/1.1'],
    };
    connect({ socket: wire, ...options }).on('error', () => undefined);
  });
}

/** The answer of a server of TLS 1.3, RFC 8446 section 4.1.3, without a key share. */
export function serverHello(): Buffer {
  const versions = Buffer.from('002b00020304', 'hex');
  const body = Buffer.concat([
    u16(LEGACY_VERSION),
    Buffer.alloc(32, 0xa5),
    Buffer.from('00130100', 'hex'),
    u16(versions.length),
    versions,
  ]);
  const message = Buffer.concat([Buffer.of(2, 0), u16(body.length), body]);
  return Buffer.concat([Buffer.of(HANDSHAKE), u16(LEGACY_VERSION), u16(message.length), message]);
}

/** One record of application data that fills a segment. */
export function applicationData(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes[0] = APPLICATION_DATA;
  bytes.writeUInt16BE(LEGACY_VERSION, 1);
  bytes.writeUInt16BE(length - RECORD_HEADER_LEN, 3);
  fillNoise(bytes, RECORD_HEADER_LEN);
  return bytes;
}

export function httpRequest(): NamedBytes {
  const lines = [
    'GET /index.html HTTP/1.1',
    `Host: ${NO_NAME}.${DOMAIN}`,
    'User-Agent: bench/1',
    'Accept: */*',
  ];
  return new NamedBytes(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
}

/** The head of an answer whose body comes in packets of its own. */
export function httpResponse(bodyLen: number): Buffer {
  const lines = ['HTTP/1.1 200 OK', 'Content-Type: application/octet-stream', `Content-Length: ${bodyLen}`];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}

export function httpBody(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  fillNoise(bytes, 0);
  return bytes;
}

/** A question for an address, RFC 1035 section 4.1. */
export function dnsQuestion(): NamedBytes {
  return new NamedBytes(dnsMessage(0x0100, 0, Buffer.alloc(0)));
}

/** Its answer: the name again by a pointer, and 192.0.2.1. */
export function dnsAnswer(): NamedBytes {
  return new NamedBytes(dnsMessage(0x8180, 1, Buffer.from('c00c000100010000003c0004c0000201', 'hex')));
}

function dnsMessage(flags: number, answers: number, answer: Buffer): Buffer {
  const labels = [NO_NAME, ...DOMAIN.split('.')].map((label) => [
    Buffer.of(label.length),
    Buffer.from(label),
  ]);
  const header = [u16(0x1234), u16(flags), u16(1), u16(answers), u16(0), u16(0)];
  return Buffer.concat([...header, ...labels.flat(), Buffer.of(0), u16(1), u16(1), answer]);
}

function u16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}

/** Bytes that repeat late, and begin no record and no header. */
function fillNoise(bytes: Buffer, from: number): void {
  let state = 0x9e37_79b9;
  for (let at = from; at < bytes.length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
}
