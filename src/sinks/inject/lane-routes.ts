import type { Lane, LaneReader } from '../../packet/lane.ts';
import { LinkType } from '../../packet/link-type.ts';
import { VLAN_MAX } from './settings.ts';

/** Says that frames of a lane have no VLAN tag, or that there is no VLAN for them. */
export const VLAN_NONE = 0;
export const VLAN_MISSING = -1;

/** Where frames of one lane go. */
export interface Route {
  readonly lane: Lane;
  readonly interfaceName: string;
  /** 1..4094, VLAN_NONE or VLAN_MISSING. */
  readonly vlan: number;
  /** Its frames begin with an IP header: they are given one of Ethernet. */
  readonly isRaw: boolean;
}

/** What of the settings says where frames go. */
export interface RouteSettings {
  readonly interface: string;
  readonly vlan: 'none' | 'vni';
  readonly vlans: readonly { readonly vni: number; readonly id: number }[];
}

/** The way of each lane, worked out once a lane. The lane that all share past the limit is of no VNI. */
export class LaneRoutes {
  readonly #lanes: LaneReader;
  readonly #settings: RouteSettings;
  readonly #listed: ReadonlyMap<number, number>;
  /** By slot of the lane directory. */
  readonly #routes: Route[] = [];

  constructor(lanes: LaneReader, settings: RouteSettings) {
    this.#lanes = lanes;
    this.#settings = settings;
    this.#listed = new Map(settings.vlans.map(({ vni, id }) => [vni, id]));
  }

  get(slot: number): Route {
    const lane = this.#lanes.lane(slot);
    const known = this.#routes[slot];
    if (known !== undefined && known.lane === lane) return known;
    const route = this.#make(lane);
    this.#routes[slot] = route;
    return route;
  }

  #make(lane: Lane): Route {
    const { interface: pattern } = this.#settings;
    const { name, vni, linkType } = lane;
    const interfaceName = pattern.replaceAll('{lane}', name).replaceAll('{vni}', String(vni ?? name));
    return { lane, interfaceName, vlan: this.#vlanOf(vni), isRaw: linkType === LinkType.raw };
  }

  #vlanOf(vni: number | null): number {
    const listed = vni === null ? undefined : this.#listed.get(vni);
    if (listed !== undefined) return listed;
    if (this.#settings.vlan === 'none') return VLAN_NONE;
    return vni !== null && vni > 0 && vni <= VLAN_MAX ? vni : VLAN_MISSING;
  }
}
