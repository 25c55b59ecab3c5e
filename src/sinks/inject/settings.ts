import { type Static, Type } from 'typebox';

/** Longest name of a Linux network interface: IFNAMSIZ of net/if.h without its end. */
export const INTERFACE_NAME_MAX = 15;
/** VLAN ids that a frame may carry; IEEE 802.1Q reserves 0 and 4095. */
const VLAN_MIN = 1;
export const VLAN_MAX = 4094;
const VNI_MAX = 0xff_ffff;
const VLANS_MAX = 4096;

const fixed = { reload: false } as const;

const vlan = Type.Object(
  {
    vni: Type.Integer({ minimum: 0, maximum: VNI_MAX, description: 'The VNI of the lane.' }),
    id: Type.Integer({ minimum: VLAN_MIN, maximum: VLAN_MAX, description: 'The VLAN id its frames get.' }),
  },
  { additionalProperties: false },
);

/** Settings of a sink of kind `inject`, besides `kind` and what every packet sink has. */
export const injectSettings = Type.Object(
  {
    interface: Type.String({
      ...fixed,
      minLength: 1,
      maxLength: 64,
      pattern: '^(?:[^\\s/:{}%]|\\{vni\\}|\\{lane\\})+$',
      expected: 'the name of a network interface, in which {vni} and {lane} may stand',
      description:
        'Network interface that inner frames are written to: a veth, a dummy, a TAP. {vni} stands for the VNI and {lane} for ' +
        'the name of the lane, so that each lane has an interface of its own. mirrortap makes no interfaces.',
      examples: ['mirror0', 'mirror{vni}'],
    }),
    maxInterfaces: Type.Integer({
      ...fixed,
      default: 64,
      minimum: 1,
      maximum: 1024,
      unit: 'interfaces',
      description:
        'Most interfaces at one time where the name has {vni} or {lane}; one that has been idle for a minute gives its place ' +
        'to another. Packets of further lanes are dropped, and counted as tooManyInterfaces.',
    }),
    cut: Type.Enum(['pad', 'shorten', 'pass', 'drop'], {
      ...fixed,
      default: 'pad',
      description:
        'What becomes of packets that were cut, which Suricata, Zeek and Arkime refuse as they are. pad: zero bytes up to the ' +
        'inner IP length, and fresh checksums; past the MTU shortened. shorten: lengths that say what arrived, and fresh ' +
        'checksums. pass: as they arrived. drop: left out.',
    }),
    vlan: Type.Enum(['none', 'vni'], {
      ...fixed,
      default: 'none',
      description:
        'VLAN tag of frames whose VNI is not listed in vlans. none: no tag. vni: the VNI is the VLAN id; packets of VNIs that ' +
        `are none (0, above ${VLAN_MAX}) are dropped, and counted as noVlan.`,
    }),
    vlans: Type.Array(vlan, {
      ...fixed,
      default: [],
      maxItems: VLANS_MAX,
      description: 'VLAN tags by VNI. A tag that the frame has itself stays, behind this one.',
      examples: [[{ vni: 70_000, id: 12 }]],
    }),
  },
  { additionalProperties: false },
);
export type InjectSettings = Static<typeof injectSettings>;
