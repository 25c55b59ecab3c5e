import { LinkType } from './link-type.ts';

/** How a mirrored frame was wrapped. The number is kept in columns and counters, the name is what people see. */
export const Encapsulation = {
  none: 0,
  vxlan: 1,
  geneve: 2,
  /** GENEVE around IP, UDP and VXLAN: a mirror session whose target is a Gateway Load Balancer endpoint. */
  geneveVxlan: 3,
} as const;
export type Encapsulation = (typeof Encapsulation)[keyof typeof Encapsulation];

/** Names by number, as the report, metrics and records show them. */
export const encapsulationNames: readonly string[] = ['none', 'vxlan', 'geneve', 'geneve+vxlan'];

const STEMS: readonly string[] = ['overflow', 'vni', 'geneve', 'gwlb'];

/** All packets of one encapsulation, VNI, Gateway Load Balancer endpoint and link type. */
export interface Lane {
  /** Stable name: file stem, live folder, pcapng `if_name`, metric label, Kafka key prefix. */
  readonly name: string;
  /** `Encapsulation.none` for the overflow lane, which takes all that came past the lane limit. */
  readonly encapsulation: Encapsulation;
  /** 0..0xffffff; `null` for the overflow lane. */
  readonly vni: number | null;
  /** 16 lower-case hex digits where the GENEVE option is present. */
  readonly gwlbEndpointId: string | undefined;
  /** `LinkType.ethernet` or `LinkType.raw`. */
  readonly linkType: LinkType;
}

/** What a lane's name follows from; `endpointHigh` and `endpointLow` are the two halves of the endpoint id. */
export function makeLane(
  encapsulation: Encapsulation,
  vni: number,
  hasEndpoint: boolean,
  endpointHigh: number,
  endpointLow: number,
  linkType: LinkType,
): Lane {
  const overflow = encapsulation === Encapsulation.none;
  const gwlbEndpointId = hasEndpoint ? hex8(endpointHigh) + hex8(endpointLow) : undefined;
  const name =
    STEMS[encapsulation]! +
    (overflow ? '' : `-${vni}`) +
    (gwlbEndpointId === undefined ? '' : `-${gwlbEndpointId}`) +
    (linkType === LinkType.raw ? '-ip' : '');
  return { name, encapsulation, vni: overflow ? null : vni, gwlbEndpointId, linkType };
}

function hex8(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

/** What a sink may ask about the `lane` column of a batch. */
export interface LaneReader {
  /**
   * The lane in a directory slot. The same object as long as the slot belongs to the same lane; a
   * different object once the lane was freed and the slot given to another.
   */
  lane(slot: number): Lane;
}
