/** Room for what librdkafka says of a failure, bytes; it cuts what is longer. */
export const TEXT_BYTES = 512;

/** The text in memory that librdkafka wrote to: UTF-8 up to a zero byte. */
export function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}
