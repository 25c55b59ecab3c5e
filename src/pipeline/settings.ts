import { Type } from 'typebox';

const later = { later: true, reload: false } as const;

/** Which packets a sink is given. */
const select = Type.Object(
  {
    vnis: Type.Array(Type.Never(), {
      ...later,
      default: [],
      maxItems: 0,
      description: 'Only packets of these VNIs; empty: all.',
    }),
    filter: Type.Enum([''], {
      ...later,
      default: '',
      description: 'Only packets that this filter expression lets through; empty: all.',
    }),
    snapLength: Type.Literal(0, {
      ...later,
      default: 0,
      unit: 'bytes',
      description: 'Most bytes of each packet; 0: as many as arrived.',
    }),
    sampleFlows: Type.Enum([1, 0], {
      ...later,
      default: 1,
      description: 'One flow in so many; 0 and 1: all.',
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
