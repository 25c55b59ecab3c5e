/**
 * Why a packet that came to a tunnel port was refused.
 *
 * The decoder returns one of these numbers, the ledger is indexed by it, and its name is a label of
 * `mirrortap_faults_total` and a key of the report: names are stable. A datagram to another port, and
 * a packet that is not UDP, has no fault: it is `notTunnel`.
 */
export const Fault = {
  none: 0,
  /** The capture ended inside the outer UDP header of a packet that says it is UDP. */
  udpTruncated: 1,
  /** The outer UDP length is less than its own header. */
  udpLength: 2,
  /** A fragment of an outer UDP datagram: only the kernel or a defragmenting ring puts these together. */
  outerFragment: 3,
  vxlanTruncated: 4,
  vxlanNoVni: 5,
  geneveTruncated: 6,
  geneveVersion: 7,
  /** A critical option of a class or type that mirrortap does not know (RFC 8926 section 3.5). */
  geneveCritical: 8,
  /** An option that promises more bytes than the option area holds. */
  geneveOption: 9,
  /** A control packet (O bit): it carries no mirrored frame (RFC 8926 section 3.4). */
  geneveControl: 10,
  /** A payload that is neither Ethernet nor IPv4 nor IPv6. */
  geneveProtocol: 11,
} as const;
export type Fault = (typeof Fault)[keyof typeof Fault];

/** Names by number: `faultNames[Fault.vxlanNoVni]` is `'vxlanNoVni'`. */
export const faultNames: readonly string[] = Object.keys(Fault);

/** How many fault numbers there are, `none` included: the size of a table indexed by fault. */
export const FAULT_COUNT = faultNames.length;
