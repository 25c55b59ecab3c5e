/** One bound socket, as the log and the metrics tell it. */
export interface BoundSocket {
  /** 0 .. workers - 1. */
  readonly worker: number;
  /** UDP port. */
  readonly port: number;
  /** What the kernel granted; Linux doubles what it takes for its own bookkeeping. */
  readonly receiveBufferBytes: number;
}

/** Something the operator should know about how packets are taken in: said once, as a warning. */
export interface IntakeNote {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * What the main thread opened for all workers. Descriptors stay open when a worker dies: its successor goes on with
 * the same ones, so that no packet of the others changes its worker.
 */
export interface IntakeSet<Handle> {
  /** By worker. Plain data: it crosses to a thread as it is, and again to the thread that replaces it. */
  readonly handles: readonly (readonly Handle[])[];
  /** What decides which worker gets a packet, in words for the log. */
  readonly steering: string;
  /** What else the log should say of it: interfaces, sizes. */
  readonly details: Readonly<Record<string, string | number>>;
  readonly notes: readonly IntakeNote[];

  /** Packets that the kernel dropped since `open`; never less than before. Asked once a second, and at the end. */
  kernelDrops(): number;

  /**
   * Told once a second: addresses of this host may have changed. Never throws.
   *
   * @returns what has come up since, to be said as `notes` are
   */
  refresh(): readonly IntakeNote[];

  /** The sockets with a receive buffer of their own. */
  bound(): readonly BoundSocket[];

  /** Frees everything; the workers have ended. */
  close(): void;
}
