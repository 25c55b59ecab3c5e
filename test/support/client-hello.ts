/** ClientHello messages from their parts, RFC 8446 section 4.1.2. */

export type Extension = readonly [type: number, data: Uint8Array];

export interface HelloParts {
  readonly version?: number;
  readonly sessionId?: Uint8Array;
  readonly ciphers?: readonly number[];
  /** `undefined`: the message ends before its extensions. */
  readonly extensions?: readonly Extension[] | undefined;
}

/** The handshake message, without a record around it. */
export function clientHello(parts: HelloParts): Buffer {
  const { version = 0x0303, sessionId = Buffer.alloc(32, 7), ciphers = [0x1301], extensions } = parts;
  const body = Buffer.concat([
    number(version, 2),
    Buffer.alloc(32, 9),
    prefixed(sessionId, 1),
    prefixed(numbers(ciphers), 2),
    prefixed(Buffer.from([0]), 1),
    extensions === undefined ? Buffer.alloc(0) : prefixed(Buffer.concat(extensions.map(extension)), 2),
  ]);
  return Buffer.concat([Buffer.from([1]), prefixed(body, 3)]);
}

/** Handshake records around a message, each of at most so many bytes. */
export function handshakeRecords(message: Uint8Array, contentLen = 0x4000): Buffer {
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += contentLen) {
    const carried = message.subarray(at, at + contentLen);
    records.push(Buffer.from([22, 3, 1]), prefixed(carried, 2));
  }
  return Buffer.concat(records);
}

export function serverName(name: string): Extension {
  return [0, prefixed(Buffer.concat([Buffer.from([0]), prefixed(Buffer.from(name, 'latin1'), 2)]), 2)];
}

export function applicationProtocols(...names: readonly Uint8Array[]): Extension {
  return [16, prefixed(Buffer.concat(names.map((name) => prefixed(name, 1))), 2)];
}

export function supportedVersions(...versions: readonly number[]): Extension {
  return [43, prefixed(numbers(versions), 1)];
}

export function signatureAlgorithms(...algorithms: readonly number[]): Extension {
  return [13, prefixed(numbers(algorithms), 2)];
}

/** Bytes with their number before them, in `lengthLen` bytes. */
export function prefixed(bytes: Uint8Array, lengthLen: number): Buffer {
  return Buffer.concat([number(bytes.length, lengthLen), bytes]);
}

function extension([type, data]: Extension): Buffer {
  return Buffer.concat([number(type, 2), prefixed(data, 2)]);
}

function numbers(values: readonly number[]): Buffer {
  return Buffer.concat(values.map((value) => number(value, 2)));
}

function number(value: number, len: number): Buffer {
  const bytes = Buffer.alloc(len);
  bytes.writeUIntBE(value, 0, len);
  return bytes;
}
