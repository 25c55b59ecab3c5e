/** Why this kind of sink drops packets, besides what every sink does. */
export const pipeDropReasons: readonly string[] = [
  /** Nobody had the pipe open, or who had it went away before taking them. */
  'noReader',
  /** A reader had the pipe open and had not taken them when the sink was closed. */
  'notRead',
];
