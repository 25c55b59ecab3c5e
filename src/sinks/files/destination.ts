/** Where the files of a sink come to be: one a lane in a folder, a series a lane, or one stream. */
export interface Destination {
  /** Makes folders and finds out whether anything can be written at all. Rejects with a `MirrorError`. */
  open(): Promise<void>;

  /**
   * Makes a new, empty file. Rejects with a `MirrorError` or an error of Node's.
   *
   * @param stem         a lane's name, or `all`
   * @param startSeconds second of the first packet, since the epoch
   */
  create(stem: string, startSeconds: number): Promise<OutFile>;

  /** Frees what is open. */
  close(): Promise<void>;
}

/** One growing file. Its calls are made one after the other. */
export interface OutFile {
  /** What the file is called once it is finished, relative to the output folder; empty for a stream. */
  readonly path: string;

  /** Adds whole blocks, `bytes[0 .. length)`: all of them, or, when it rejects, none of them. */
  append(bytes: Buffer, length: number): Promise<void>;

  /** Makes everything added so far durable. */
  sync(): Promise<void>;

  /** Closes the file and gives it its final name. */
  finish(): Promise<void>;

  /** Closes the file and removes it: it holds nothing. */
  discard(): Promise<void>;
}
