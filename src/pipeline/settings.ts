import { Type } from 'typebox';
import { parseVniRange, VNI_MAX } from '../wire/vni-range.ts';

const VNIS_MAX = 4096;
const FILTER_LENGTH_MAX = 4096;
/** The longest frame that any capture or link has is far below. */
const SNAP_LENGTH_MAX = 262_144;
const SAMPLE_MAX = 1_000_000;

const vniOrRange = Type.Union([
  Type.Integer({ minimum: 0, maximum: VNI_MAX }),
  Type.Refine(
    Type.String({ expected: 'a range such as 100-199' }),
    (text) => parseVniRange(text) !== undefined,
  ),
]);

/** Which packets a sink is given, and how much of each. */
const select = Type.Object(
  {
    vnis: Type.Array(vniOrRange, {
      maxItems: VNIS_MAX,
      default: [],
      reload: false,
      examples: [[7, '100-199']],
      description: 'Only packets of these VNIs and ranges of VNIs; empty: all.',
    }),
    filter: Type.String({
      maxLength: FILTER_LENGTH_MAX,
      default: '',
      reload: false,
      examples: ['tcp port 443 and host 10.0.0.5'],
      description:
        "Only packets that this expression in tcpdump's language takes, asked of the mirrored packet itself; " +
        'empty: all. See docs/filter.md.',
    }),
    snapLength: Type.Integer({
      minimum: 0,
      maximum: SNAP_LENGTH_MAX,
      default: 0,
      unit: 'bytes',
      reload: false,
      description: 'Most bytes of each mirrored packet, Ethernet header included; 0: as many as arrived.',
    }),
    sampleFlows: Type.Integer({
      minimum: 0,
      maximum: SAMPLE_MAX,
      default: 1,
      unit: 'flows',
      reload: false,
      description:
        'Packets of one flow in so many, both directions, the same flows in all workers and appliances; 0 and 1: of all. ' +
        'Packets without IP are never left out by it.',
    }),
  },
  { additionalProperties: false },
);

/** In which order and shape a sink is given its packets. */
const output = Type.Object(
  {
    order: Type.Enum(['auto', 'arrival', 'flow'], {
      default: 'auto',
      reload: false,
      description:
        'Order of the packets: as they arrived, or each TCP stream in the order of its sequence numbers ' +
        '(analysis.order); auto is the order that suits this kind of sink.',
    }),
    repair: Type.Enum(['none', 'partial', 'all'], {
      default: 'none',
      reload: false,
      description:
        'Which checksums are completed: none; those left to a network card (partial); wrong ones too (all). ' +
        'Cut packets never; evidence is never altered unasked.',
    }),
    duplicates: Type.Enum(['keep', 'drop'], {
      default: 'keep',
      reload: false,
      description:
        'What becomes of packets that were marked as duplicates; drop needs analysis.duplicates.detect: on.',
    }),
  },
  { additionalProperties: false },
);

/** What every sink that takes packets can be told, whatever its kind. */
export const packetSink = Type.Object(
  {
    enabled: Type.Boolean({
      default: true,
      reload: false,
      description: 'Whether this sink runs; off keeps its settings in the file without using them.',
    }),
    select,
    output,
  },
  { additionalProperties: false },
);
