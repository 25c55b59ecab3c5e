import { isIP } from 'node:net';
import { Type } from 'typebox';

const PORTS_MAX = 16;
/** Linux doubles what it is asked for, in a signed 32-bit number. */
const RECEIVE_BUFFER_MAX = 0x3fff_ffff;

const port = Type.Integer({ minimum: 1, maximum: 65_535 });

const later = { later: true, reload: false } as const;

/** Where mirrored packets come in. */
export const listen = Type.Object(
  {
    mode: Type.Enum(['auto', 'dgram'], {
      default: 'auto',
      later: ['ring', 'mmsg'],
      reload: false,
      description:
        'How packets are taken from the kernel; auto takes the best way there is and the log says which.',
    }),
    address: Type.Refine(
      Type.String({
        default: '0.0.0.0',
        expected: 'an IPv4 or IPv6 address of this host, 0.0.0.0, or "::" for both families',
        reload: false,
        examples: ['::'],
        description: 'Address to listen on. "::" takes IPv4 and IPv6.',
      }),
      (text) => isIP(text) !== 0,
    ),
    interface: Type.Enum(['auto'], {
      ...later,
      default: 'auto',
      description: 'Interfaces that the packet ring reads.',
    }),
    vxlanPorts: Type.Array(port, {
      maxItems: PORTS_MAX,
      default: [4789],
      reload: false,
      examples: [[4789, 8472]],
      description: 'UDP ports that carry VXLAN; [] turns VXLAN off.',
    }),
    genevePorts: Type.Array(port, {
      maxItems: PORTS_MAX,
      default: [6081],
      reload: false,
      description: 'UDP ports that carry GENEVE; [] turns GENEVE off.',
    }),
    receiveBufferBytes: Type.Integer({
      default: 67_108_864,
      minimum: 65_536,
      maximum: RECEIVE_BUFFER_MAX,
      unit: 'bytes',
      reload: false,
      description:
        'Receive buffer that each socket asks for. The kernel may grant less: the log says how much, and the remedy.',
    }),
    ring: Type.Object(
      {
        bytes: Type.Literal(67_108_864, {
          ...later,
          default: 67_108_864,
          unit: 'bytes',
          description: 'Size of the packet ring of each worker.',
        }),
        retireMs: Type.Literal(8, {
          ...later,
          default: 8,
          unit: 'ms',
          description: 'A block of the ring is handed over at the latest after so long.',
        }),
      },
      { additionalProperties: false },
    ),
    steering: Type.Enum(['flow'], {
      ...later,
      default: 'flow',
      description: 'What decides which worker gets a packet.',
    }),
  },
  { additionalProperties: false },
);
