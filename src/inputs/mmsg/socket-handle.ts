/** A socket that the main thread has opened for one worker. Plain data: it crosses to that worker's thread. */
export interface SocketHandle {
  /** File descriptor, bound and not blocking where it is read so; the same in all threads. */
  readonly descriptor: number;
  /** UDP port it is bound to. */
  readonly port: number;
  /** Whose it is. */
  readonly worker: number;
  /** What the kernel granted; it counts its own bookkeeping for each packet. */
  readonly receiveBufferBytes: number;
  /** 32-bit words, see `SocketState`: the worker writes, the main thread reads. */
  readonly state: SharedArrayBuffer;
}

/** Which word of a socket's `state` says what. */
export const SocketState = {
  /** The kernel's count of packets dropped for this socket, as the last datagram with one told it; it wraps. */
  drops: 0,
} as const;

/** Bytes of `state`. */
export const SOCKET_STATE_BYTES = 4;
