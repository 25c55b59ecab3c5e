import { createServer, type Server, type Socket } from 'node:net';
import { bindFailed } from './bind-failed.ts';

/** A client that does not close its side is cut off after this time. */
const LINGER_MAX_MS = 5_000;
const CONNECTIONS_MAX = 1024;

export interface TcpHealthOptions {
  readonly address: string;
  /** 0 takes any free port, at every `open` anew. */
  readonly port: number;
}

/** A port for health checks that can only connect: open while ready, closed otherwise. */
export interface TcpHealth {
  /** The port that it listens on; `undefined` while closed. */
  readonly port: number | undefined;
  /** Listens, if it does not already. Rejects with `HTTP_BIND_FAILED`. */
  open(): Promise<void>;
  /** Stops listening and cuts off whoever is connected, if it is open. */
  close(): Promise<void>;
}

/** Calls of `open` and `close` take effect one after the other, in the order of the calls. */
export function createTcpHealth(options: TcpHealthOptions): TcpHealth {
  let listener: Listener | undefined;
  let last: Promise<void> = Promise.resolve();

  const inTurn = (step: () => Promise<void>): Promise<void> => {
    const turn = last.then(step);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    get port() {
      return listener?.port;
    },
    open: () =>
      inTurn(async () => {
        listener ??= await listen(options);
      }),
    close: () =>
      inTurn(async () => {
        await listener?.close();
        listener = undefined;
      }),
  };
}

interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

async function listen({ address, port }: TcpHealthOptions): Promise<Listener> {
  const connected = new Set<Socket>();
  const server = createServer((socket) => greet(socket, connected));
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(bindFailed('http.tcpHealthPort', address, port, cause)));
    server.listen({ host: address, port }, resolve);
  });
  // a failed accept (no descriptor left) is the client's failed check, not the end of the process
  server.on('error', () => undefined);
  return {
    port: boundPort(server, port),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of connected) socket.destroy();
      }),
  };
}

/** Ends the connection at once, and reads what still comes: unread bytes would turn the end into a reset. */
function greet(socket: Socket, connected: Set<Socket>): void {
  connected.add(socket);
  const cut = setTimeout(() => socket.destroy(), LINGER_MAX_MS).unref();
  socket.on('close', () => {
    clearTimeout(cut);
    connected.delete(socket);
  });
  socket.on('error', () => socket.destroy());
  socket.resume();
  socket.end();
}

function boundPort(server: Server, port: number): number {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : port;
}
