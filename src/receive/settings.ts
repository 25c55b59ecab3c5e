import { Type } from 'typebox';
import { parseCidr } from '../wire/address.ts';
import { parseVniRange, VNI_MAX } from '../wire/vni-range.ts';

/** Address blocks are compared one after the other for each packet. */
const BLOCKS_MAX = 256;
const VNIS_MAX = 4096;

const addressBlock = Type.Refine(
  Type.String({ expected: 'an IPv4 or IPv6 address, or a block of them such as 10.0.0.0/8' }),
  (text) => parseCidr(text) !== undefined,
);

const vniOrRange = Type.Union([
  Type.Integer({ minimum: 0, maximum: VNI_MAX }),
  Type.Refine(
    Type.String({ expected: 'a range such as 100-199' }),
    (text) => parseVniRange(text) !== undefined,
  ),
]);

const expectation = Type.Object(
  {
    vni: Type.Integer({ minimum: 0, maximum: VNI_MAX, description: 'The VNI that is expected.' }),
    silentSeconds: Type.Integer({
      minimum: 1,
      maximum: 31_536_000,
      unit: 's',
      description: 'After so long without a packet it counts as silent.',
    }),
  },
  { additionalProperties: false },
);

/** Where the appliance stands: the presets of other settings. */
export const behind = Type.Enum(['direct', 'nlb', 'gwlb'], {
  default: 'direct',
  reload: false,
  examples: ['nlb'],
  description:
    'What stands in front: nothing, a Network Load Balancer or a Gateway Load Balancer. ' +
    'It presets other settings; a value given for one of them wins.',
});

/** Which packets are let in. */
export const admission = Type.Object(
  {
    sources: Type.Array(addressBlock, {
      maxItems: BLOCKS_MAX,
      default: [],
      reload: true,
      examples: [['10.0.0.0/8', '2001:db8::/32']],
      description: 'Outer source addresses that may send; empty: all.',
    }),
    mirrorSources: Type.Array(addressBlock, {
      maxItems: BLOCKS_MAX,
      default: [],
      reload: true,
      examples: [['10.0.1.17']],
      description:
        'Source addresses of the VXLAN packets, that is the mirrored network interfaces, that may send; empty: all.',
    }),
    vnis: Type.Array(vniOrRange, {
      maxItems: VNIS_MAX,
      default: [],
      reload: true,
      examples: [[7, '100-199']],
      description: 'VNIs and ranges of VNIs that are let in; empty: all.',
    }),
    maxLanes: Type.Integer({
      default: 4096,
      minimum: 1,
      maximum: 65_536,
      reload: false,
      description: 'Most lanes at one time. Packets of further lanes share the lane overflow.',
    }),
    laneIdleSeconds: Type.Integer({
      default: 86_400,
      minimum: 1,
      maximum: 31_536_000,
      unit: 's',
      reload: true,
      description:
        'A lane without packets for so long is closed and its place is freed. While TCP flows of it are open it waits for ' +
        'them, at most analysis.flows.idleSeconds.tcp longer, and not while more than half of maxLanes are in use.',
    }),
    expect: Type.Array(expectation, {
      default: [],
      maxItems: VNIS_MAX,
      reload: true,
      examples: [[{ vni: 42, silentSeconds: 300 }]],
      description: 'VNIs that should carry traffic: one that falls silent raises a metric and a log line.',
    }),
  },
  { additionalProperties: false },
);

const order = Type.Object(
  {
    holdUs: Type.Integer({
      default: 20_000,
      minimum: 0,
      maximum: 10_000_000,
      unit: 'µs',
      reload: false,
      description: 'Longest time that a packet is held back so that its TCP stream leaves in order.',
    }),
    holdPackets: Type.Integer({
      default: 64,
      minimum: 1,
      maximum: 4096,
      unit: 'packets',
      reload: false,
      description: 'Most packets of one TCP stream that are held back.',
    }),
    holdBytes: Type.Integer({
      default: 67_108_864,
      minimum: 1_048_576,
      maximum: 4_294_967_296,
      unit: 'bytes',
      reload: false,
      description: 'Memory for packets that are held back, of all workers together.',
    }),
  },
  { additionalProperties: false },
);

const duplicates = Type.Object(
  {
    detect: Type.Enum(['off', 'on'], {
      default: 'off',
      reload: false,
      description:
        'Whether copies of a packet that another mirror source, or a session of another VNI, delivered before are marked.',
    }),
    windowUs: Type.Integer({
      default: 100_000,
      minimum: 1,
      maximum: 60_000_000,
      unit: 'µs',
      reload: false,
      description: 'How long a packet is remembered.',
    }),
    acrossVnis: Type.Boolean({
      default: true,
      reload: false,
      description: 'Whether copies under two VNIs count as duplicates.',
    }),
  },
  { additionalProperties: false },
);

function idle(seconds: number, which: string) {
  return Type.Integer({
    default: seconds,
    minimum: 1,
    maximum: 86_400,
    unit: 's',
    reload: false,
    description: `${which} flow ends after so long without packets.`,
  });
}

const flows = Type.Object(
  {
    enabled: Type.Boolean({
      default: true,
      reload: false,
      description: 'Whether packets are counted by flow. `decap` does so where --flows is given.',
    }),
    maxFlows: Type.Integer({
      default: 1_000_000,
      minimum: 1_024,
      maximum: 50_000_000,
      unit: 'flows',
      reload: false,
      description: 'Most flows that are open at one time, of all workers together: under 300 bytes each.',
    }),
    nameBytes: Type.Integer({
      default: 67_108_864,
      minimum: 65_536,
      maximum: 4_294_967_296,
      unit: 'bytes',
      reload: false,
      description:
        'Memory for names that were seen (DNS, TLS, HTTP, QUIC) in open flows, of all workers together.',
    }),
    idleSeconds: Type.Object(
      { tcp: idle(350, 'A TCP'), udp: idle(60, 'A UDP'), other: idle(30, 'Any other') },
      { additionalProperties: false },
    ),
    activeSeconds: Type.Integer({
      default: 120,
      minimum: 1,
      maximum: 86_400,
      unit: 's',
      reload: false,
      description: 'A flow that goes on is reported so often.',
    }),
    perVlan: Type.Boolean({
      default: false,
      reload: false,
      description: 'Whether the same addresses and ports under another VLAN id are another flow.',
    }),
  },
  { additionalProperties: false },
);

/** What is observed about packets. It marks them and never changes one. */
export const analysis = Type.Object(
  {
    checksums: Type.Object(
      {
        verify: Type.Enum(['all', 'sampled', 'off'], {
          default: 'all',
          reload: false,
          description: 'Which inner packets have their checksums verified: all, one in 16, or none.',
        }),
      },
      { additionalProperties: false },
    ),
    order,
    duplicates,
    flows,
  },
  { additionalProperties: false },
);
