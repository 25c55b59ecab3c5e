/**
 * Text of a name in the making: printable ASCII, whatever bytes the name came as.
 *
 * Bytes outside 0x21..0x7e become a backslash and three decimal digits, a backslash becomes two: the presentation
 * format of DNS names, RFC 4343 section 2.1, which is used for the names of all protocols. One instance serves all
 * names; nothing here allocates but `toString`.
 */

/** Most bytes of a name as text. */
export const NAME_TEXT_MAX = 255;

const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x21;
const LAST_PRINTABLE = 0x7e;
const ZERO = 0x30;
/** What lies between the digit 9 and the letter a, less one. */
const TO_LETTER = 0x27;

/** One name: its text is `bytes[0 .. length)`. */
export class NameText {
  readonly bytes: Uint8Array = new Uint8Array(NAME_TEXT_MAX);
  length = 0;
  /** More was put than fits: what is here is the beginning of a name, and none. */
  overflowed = false;

  clear(): void {
    this.length = 0;
    this.overflowed = false;
  }

  /** Takes a byte as it is, 0x21..0x7e. */
  put(byte: number): void {
    if (this.length === NAME_TEXT_MAX) this.overflowed = true;
    else this.bytes[this.length++] = byte;
  }

  /** Takes a byte of a name, escaped where it must be. */
  putEscaped(byte: number): void {
    if (byte === BACKSLASH) {
      this.put(BACKSLASH);
      this.put(BACKSLASH);
    } else if (byte >= FIRST_PRINTABLE && byte <= LAST_PRINTABLE) {
      this.put(byte);
    } else {
      this.put(BACKSLASH);
      this.put(ZERO + Math.floor(byte / 100));
      this.put(ZERO + (Math.floor(byte / 10) % 10));
      this.put(ZERO + (byte % 10));
    }
  }

  /** Takes the bytes `at .. end - 1` of a name, each escaped where it must be. */
  putBytes(bytes: Uint8Array, at: number, end: number): void {
    for (let i = at; i < end && !this.overflowed; i++) this.putEscaped(bytes[i]!);
  }

  /** Takes printable ASCII as it is. */
  putAscii(text: string): void {
    for (let i = 0; i < text.length; i++) this.put(text.charCodeAt(i));
  }

  /** Takes a number from 0 to 999 in decimal, without leading zeros. */
  putDecimal(value: number): void {
    if (value >= 100) this.put(ZERO + Math.floor(value / 100));
    if (value >= 10) this.put(ZERO + (Math.floor(value / 10) % 10));
    this.put(ZERO + (value % 10));
  }

  /** Takes the lowest four bits of a number as a lower-case hexadecimal digit. */
  putHexDigit(value: number): void {
    const digit = value & 0xf;
    this.put(ZERO + digit + (digit > 9 ? TO_LETTER : 0));
  }

  toString(): string {
    return String.fromCharCode(...this.bytes.subarray(0, this.length));
  }
}
