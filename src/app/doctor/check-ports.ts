import type { Facts, PortFact, PortHolder } from './facts.ts';
import { type Finding, note, ok, problem } from './finding.ts';

/** Whether the tunnel ports can be had. */
export function checkPorts({ ports }: Facts): Finding[] {
  const udp = ports.filter(({ protocol }) => protocol === 'udp');
  if (udp.length === 0) {
    const remedy = 'Set listen.vxlanPorts or listen.genevePorts.';
    return [problem('ports', 'There is no tunnel port to listen on.', remedy)];
  }
  return summary('ports', udp, 'listen.vxlanPorts, listen.genevePorts, listen.address');
}

/** Whether the HTTP server, and the TCP health port, can be had. */
export function checkHttpPort({ ports }: Facts): Finding[] {
  const tcp = ports.filter(({ protocol }) => protocol === 'tcp');
  if (tcp.length === 0) return [ok('http-port', 'The HTTP server takes any free port.')];
  return summary('http-port', tcp, 'http.port, http.tcpHealthPort, http.address');
}

function summary(name: 'ports' | 'http-port', ports: readonly PortFact[], settings: string): Finding[] {
  const refused = ports.filter(({ refusal }) => refusal !== undefined);
  if (refused.length > 0) return refused.map((one) => refusedPort(name, one, settings));
  const list = ports.map(({ port }) => port).join(', ');
  const [{ protocol, address } = { protocol: '', address: '' }] = ports;
  return [ok(name, `Free: ${protocol.toUpperCase()} ${list} on ${address}.`)];
}

function refusedPort(name: 'ports' | 'http-port', fact: PortFact, settings: string): Finding {
  const { protocol, address, port, refusal = '', holder } = fact;
  const what = `${protocol.toUpperCase()} port ${port} on ${address}`;
  if (refusal === 'EADDRINUSE') return takenPort(name, what, holder, settings);
  const remedies: Readonly<Record<string, string>> = {
    EADDRNOTAVAIL: 'No interface of this machine has the address',
    EACCES: 'Ports below 1024 need the capability CAP_NET_BIND_SERVICE',
    EPERM: 'Ports below 1024 need the capability CAP_NET_BIND_SERVICE',
  };
  const remedy = `${remedies[refusal] ?? 'The system refuses it'}: see ${settings}.`;
  return problem(name, `${what} cannot be had: ${refusal}.`, remedy);
}

function takenPort(
  name: 'ports' | 'http-port',
  what: string,
  holder: PortHolder | undefined,
  settings: string,
): Finding {
  const who = holder === undefined ? 'a program that this user may not see' : holderText(holder);
  const message = `${what} is taken by ${who}.`;
  if (holder?.isMirrortap === true) {
    return note(
      name,
      message,
      'An appliance runs already: a second one would not start. Its metrics say how it does.',
    );
  }
  return problem(
    name,
    message,
    `Stop that program, or change ${settings}. As root, doctor sees all programs.`,
  );
}

function holderText({ pid, program }: PortHolder): string {
  return pid === undefined ? program : `process ${pid} (${program})`;
}
