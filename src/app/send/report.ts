/**
 * What `mirrortap send` tells when it ends. The ledger adds up:
 * `received = sent + Σ dropped`; while a run goes on, what is in flight is missing from the right side.
 */
export interface SendReport {
  /** Frames taken from the capture, all passes together, and their bytes as captured. */
  readonly input: { readonly packets: number; readonly bytes: number };
  readonly ledger: {
    readonly received: number;
    /** Datagrams that the kernel took. */
    readonly sent: number;
    /** `linkType`, `tooLong`, and names of send errors such as `EMSGSIZE`; only those that occurred. */
    readonly dropped: Readonly<Record<string, number>>;
  };
  readonly target: {
    readonly address: string;
    readonly port: number;
    readonly encapsulation: 'vxlan' | 'geneve+vxlan';
    readonly vni: number;
  };
  /** UDP payload bytes of what was sent. */
  readonly sentBytes: number;
  /** Frames cut by the packet length. */
  readonly truncated: number;
  /** Datagrams longer than the outgoing interface carries whole: the kernel sent them as IP fragments. */
  readonly fragmented: number;
  /** Errors that came back for datagrams already sent, by name: `ECONNREFUSED` means that nobody listens. */
  readonly returned: Readonly<Record<string, number>>;
  /** Capture time of the first and the last frame; left out when there was none. */
  readonly first?: string;
  readonly last?: string;
  /** How often the capture was sent to its end. */
  readonly passes: number;
  /** Wall time from the first frame to the last, and the average rate over it. */
  readonly seconds: number;
  readonly packetsPerSecond: number;
}

/** One JSON object on one line. */
export function sendReportJson(report: SendReport): string {
  return `${JSON.stringify(report)}\n`;
}

/** The same for people. */
export function sendReportText(report: SendReport): string {
  const { input, ledger, target } = report;
  const rows: [string, number][] = [
    ['received', ledger.received],
    ['  sent', ledger.sent],
    ...Object.entries(ledger.dropped).map(([name, count]): [string, number] => [`  dropped ${name}`, count]),
  ];
  const nameLen = Math.max(...rows.map(([name]) => name.length));
  const countLen = Math.max(...rows.map(([, count]) => String(count).length));
  const lines = [
    `Sent to ${target.address} port ${target.port}, ${target.encapsulation}, VNI ${target.vni}.`,
    `Input: ${input.packets} packets, ${input.bytes} bytes`,
    '',
    ...rows.map(([name, count]) => `${name.padEnd(nameLen)}  ${String(count).padStart(countLen)}`),
    '',
    `${ledger.sent} packets, ${report.sentBytes} bytes of UDP payload in ${report.seconds.toFixed(3)} s: ` +
      `${Math.round(report.packetsPerSecond)} packets a second.`,
    `Cut by the packet length: ${report.truncated}. Sent in IP fragments: ${report.fragmented}.`,
    ...Object.entries(report.returned).map(([name, count]) => `Came back with ${name}: ${count}.`),
  ];
  if (report.first !== undefined) lines.push(`Captured from ${report.first} to ${report.last}.`);
  return `${lines.join('\n')}\n`;
}
