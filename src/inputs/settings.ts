import { isIP } from 'node:net';
import { Type } from 'typebox';

const PORTS_MAX = 16;
/** Linux doubles what it is asked for, in a signed 32-bit number. */
const RECEIVE_BUFFER_MAX = 0x3fff_ffff;

const port = Type.Integer({ minimum: 1, maximum: 65_535 });

/** As many as a host may want to read; each costs memory of its own. */
const INTERFACES_MAX = 64;
const RING_BYTES_MIN = 1_048_576;
const RING_BYTES_MAX = 1_073_741_824;

/** IFNAMSIZ of net/if.h, and what the kernel allows in a name. */
const isInterfaceName = (text: string): boolean =>
  /^[^\s/:]{1,15}$/.test(text) && text !== '.' && text !== '..';
const interfaceWish = Type.Refine(
  Type.String({ expected: 'auto, the name of a network interface' }),
  isInterfaceName,
);
const interfaceName = Type.Refine(
  Type.String({ expected: 'the name of a network interface' }),
  isInterfaceName,
);

/** Where mirrored packets come in. */
export const listen = Type.Object(
  {
    mode: Type.Enum(['auto', 'ring', 'mmsg', 'dgram'], {
      default: 'auto',
      reload: false,
      description:
        'How packets are taken from the kernel. ring: from memory shared with it (Linux, CAP_NET_RAW); mmsg: many ' +
        "datagrams a system call (Linux); dgram: Node's own sockets. auto: the first of these that can be had.",
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
    interface: Type.Union(
      [interfaceWish, Type.Array(interfaceName, { minItems: 1, maxItems: INTERFACES_MAX })],
      {
        default: 'auto',
        reload: false,
        examples: ['eth0', ['eth0', 'eth1']],
        description:
          'Interfaces that the packet ring reads: names, or auto: every one that is up and has an address, but no port ' +
          'of a bridge and no member of a bond.',
      },
    ),
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
        bytes: Type.Integer({
          default: 67_108_864,
          minimum: RING_BYTES_MIN,
          maximum: RING_BYTES_MAX,
          unit: 'bytes',
          reload: false,
          description: 'Memory for the packet rings of each worker, divided among its interfaces.',
        }),
        retireMs: Type.Integer({
          default: 8,
          minimum: 1,
          maximum: 1000,
          unit: 'ms',
          reload: false,
          description:
            'A block of the ring is handed over when it is full, or after so long: packets wait for that on a quiet link.',
        }),
      },
      { additionalProperties: false },
    ),
    steering: Type.Enum(['flow', 'flow-ports', 'vni'], {
      default: 'flow',
      reload: false,
      description:
        'What decides which worker gets a packet, with ring and mmsg. flow: the two inner addresses, so that both ' +
        'directions, fragments and copies under other VNIs stay together; flow-ports: and the inner ports, where a few ' +
        'pairs of hosts make all the traffic; vni: the VNI.',
    }),
  },
  { additionalProperties: false },
);
