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
    order: Type.Enum(['auto', 'arrival'], {
      default: 'auto',
      later: ['flow'],
      reload: false,
      description: 'Order of the packets: as they arrived; auto is the order that suits this kind of sink.',
    }),
    repair: Type.Enum(['none'], {
      default: 'none',
      later: ['partial', 'all'],
      reload: false,
      description: 'Which transport checksums are completed. Evidence is never altered unasked.',
    }),
    duplicates: Type.Enum(['keep'], {
      default: 'keep',
      later: ['drop'],
      reload: false,
      description: 'What becomes of packets that were marked as duplicates.',
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
