import { Type } from 'typebox';
import { parseCidr } from '../wire/address.ts';
import { parseVniRange } from './admission-rules.ts';

/** Address blocks are compared one after the other for each packet. */
const BLOCKS_MAX = 256;
const VNIS_MAX = 4096;
const VNI_MAX = 0xff_ffff;

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
      description: 'A lane without packets for so long is closed and its place is freed.',
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

const later = { later: true, reload: false } as const;

const order = Type.Object(
  {
    holdUs: Type.Literal(20_000, {
      ...later,
      default: 20_000,
      unit: 'µs',
      description: 'Longest time that a packet is held back so that its flow leaves in order.',
    }),
    holdPackets: Type.Literal(64, {
      ...later,
      default: 64,
      unit: 'packets',
      description: 'Most packets of one flow that are held back.',
    }),
    holdBytes: Type.Literal(67_108_864, {
      ...later,
      default: 67_108_864,
      unit: 'bytes',
      description: 'Most bytes that are held back in all.',
    }),
  },
  { additionalProperties: false },
);

const duplicates = Type.Object(
  {
    detect: Type.Enum(['off'], {
      default: 'off',
      later: ['on'],
      reload: false,
      description: 'Whether copies of a packet that was seen before are marked.',
    }),
    windowUs: Type.Literal(100_000, {
      ...later,
      default: 100_000,
      unit: 'µs',
      description: 'How long a packet is remembered.',
    }),
    acrossVnis: Type.Literal(true, {
      ...later,
      default: true,
      description: 'Whether copies under two VNIs count as duplicates.',
    }),
  },
  { additionalProperties: false },
);

const idleSeconds = Type.Object(
  {
    tcp: Type.Literal(350, {
      ...later,
      default: 350,
      unit: 's',
      description: 'A TCP flow ends after so long without packets.',
    }),
    udp: Type.Literal(60, {
      ...later,
      default: 60,
      unit: 's',
      description: 'A UDP flow ends after so long without packets.',
    }),
    other: Type.Literal(30, {
      ...later,
      default: 30,
      unit: 's',
      description: 'Any other flow ends after so long without packets.',
    }),
  },
  { additionalProperties: false },
);

const flows = Type.Object(
  {
    enabled: Type.Literal(false, {
      ...later,
      default: false,
      description: 'Whether packets are counted by flow.',
    }),
    maxFlows: Type.Literal(1_000_000, {
      ...later,
      default: 1_000_000,
      unit: 'flows',
      description: 'Most flows that are open at one time.',
    }),
    nameBytes: Type.Literal(67_108_864, {
      ...later,
      default: 67_108_864,
      unit: 'bytes',
      description: 'Memory for the names that were seen for addresses.',
    }),
    idleSeconds,
    activeSeconds: Type.Literal(120, {
      ...later,
      default: 120,
      unit: 's',
      description: 'A flow that goes on is reported so often.',
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
