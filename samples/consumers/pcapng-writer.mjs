/**
 * Puts packets of many records together into one pcapng, little-endian, of one section: an interface a lane.
 * See draft-ietf-opsawg-pcapng, sections 4.1 to 4.3.
 */

const SECTION_HEADER = 0x0a0d_0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
const INTERFACE = 1;
const PACKET = 6;

const COMMENT = 1;
const IF_NAME = 2;
const IF_TSRESOL = 9;
const EPB_FLAGS = 2;
/** Bit of the packet flags: a network card was to finish the checksum. */
const CHECKSUM_NOT_READY = 1 << 9;

export class PcapngWriter {
  #write;
  #hasBegun = false;
  /** Numbers of interfaces, by their blocks. */
  #interfaces = new Map();

  /** @param write takes bytes, and may return a promise */
  constructor(write) {
    this.#write = write;
  }

  /**
   * One packet.
   *
   * @param packet `lane`, `linkType`, `tsNs` (BigInt), `wireLen`, `bytes`; `isPartial` and `comment` may be left out
   */
  async packet({ lane, linkType, tsNs, wireLen, bytes, isPartial = false, comment = '' }) {
    const interfaceId = await this.#interfaceOf(interfaceBlock(lane, linkType));
    const head = Buffer.alloc(20);
    head.writeUInt32LE(interfaceId, 0);
    head.writeUInt32LE(Number(tsNs >> 32n), 4);
    head.writeUInt32LE(Number(tsNs & 0xffff_ffffn), 8);
    head.writeUInt32LE(bytes.length, 12);
    head.writeUInt32LE(Math.max(wireLen, bytes.length), 16);
    const flags = isPartial ? option(EPB_FLAGS, u32(CHECKSUM_NOT_READY)) : Buffer.alloc(0);
    const text = comment === '' ? Buffer.alloc(0) : option(COMMENT, Buffer.from(comment));
    await this.#write(block(PACKET, head, padded(bytes), ending(flags, text)));
  }

  /** All packets of a pcapng. Throws, and has written nothing of it, where it is none of ours. */
  async section(bytes) {
    const blocks = blocksOf(bytes);
    const local = [];
    for (const { type, whole } of blocks) {
      if (type === INTERFACE) local.push(await this.#interfaceOf(whole));
      if (type !== PACKET) continue;
      const copy = Buffer.from(whole);
      copy.writeUInt32LE(local[whole.readUInt32LE(8)], 8);
      await this.#write(copy);
    }
  }

  /** A file without packets is a pcapng too. */
  async end() {
    await this.#begin();
  }

  async #begin() {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const body = Buffer.alloc(16, 0xff);
    body.writeUInt32LE(BYTE_ORDER_MAGIC, 0);
    body.writeUInt16LE(1, 4);
    body.writeUInt16LE(0, 6);
    await this.#write(block(SECTION_HEADER, body));
  }

  async #interfaceOf(description) {
    const key = description.toString('latin1');
    const known = this.#interfaces.get(key);
    if (known !== undefined) return known;
    await this.#begin();
    await this.#write(description);
    this.#interfaces.set(key, this.#interfaces.size);
    return this.#interfaces.size - 1;
  }
}

/** The blocks of one section, each looked at before any is written. */
function blocksOf(bytes) {
  if (bytes.length < 28 || bytes.readUInt32LE(0) !== SECTION_HEADER) throw new Error('This is no pcapng.');
  if (bytes.readUInt32LE(8) !== BYTE_ORDER_MAGIC) throw new Error('This pcapng is big-endian.');
  const blocks = [];
  let interfaces = 0;
  for (let at = 0; at < bytes.length; ) {
    const left = bytes.length - at;
    const length = left < 12 ? 0 : bytes.readUInt32LE(at + 4);
    if (length < 12 || length % 4 !== 0 || length > left)
      throw new Error(`No block of a pcapng at byte ${at}.`);
    const type = bytes.readUInt32LE(at);
    const whole = bytes.subarray(at, at + length);
    if (type === INTERFACE) interfaces++;
    if (type === PACKET && (length < 32 || whole.readUInt32LE(8) >= interfaces)) {
      throw new Error(`The packet at byte ${at} has no interface.`);
    }
    blocks.push({ type, whole });
    at += length;
  }
  return blocks;
}

/** Snap length 0: none; time stamps in nanoseconds. */
function interfaceBlock(lane, linkType) {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(linkType, 0);
  const options = ending(option(IF_NAME, Buffer.from(lane)), option(IF_TSRESOL, Buffer.of(9)));
  return block(INTERFACE, head, options);
}

function block(type, ...parts) {
  const body = Buffer.concat(parts);
  const length = u32(body.length + 12);
  return Buffer.concat([u32(type), length, body, length]);
}

function option(code, value) {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(value.length, 2);
  return Buffer.concat([head, padded(value)]);
}

/** Options and the end of them; nothing where there are none. */
function ending(...options) {
  const all = Buffer.concat(options);
  return all.length === 0 ? all : Buffer.concat([all, Buffer.alloc(4)]);
}

function padded(bytes) {
  const rest = -bytes.length & 3;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(rest)]);
}

function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value, 0);
  return bytes;
}
