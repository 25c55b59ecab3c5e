import { isIP } from 'node:net';
import { Type } from 'typebox';

const SINKS_MAX = 64;

/** The HTTP server: health, readiness and metrics. */
export const http = Type.Object(
  {
    address: Type.Refine(
      Type.String({
        default: '0.0.0.0',
        expected: 'an IPv4 or IPv6 address of this host, 0.0.0.0, or "::" for both families',
        reload: false,
        examples: ['127.0.0.1'],
        description: 'Address of the HTTP server and of the TCP health port.',
      }),
      (text) => isIP(text) !== 0,
    ),
    port: Type.Integer({
      default: 8080,
      minimum: 0,
      maximum: 65_535,
      reload: false,
      description: 'Port of the HTTP server; 0 takes any free one, which the log names.',
    }),
    readiness: Type.Union(
      [
        Type.Enum(['any', 'all', 'none']),
        Type.Array(Type.String({ expected: 'the name of a sink' }), {
          minItems: 1,
          maxItems: SINKS_MAX,
          uniqueItems: true,
          expected: 'a list of names of sinks',
        }),
      ],
      {
        default: 'any',
        expected: 'any, all, none, or a list of names of sinks',
        reload: true,
        examples: [['captures']],
        description: 'Which sinks must accept packets for the appliance to be ready.',
      },
    ),
    tcpHealthPort: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 65_535,
      reload: false,
      description: 'A TCP port that is open only while the appliance is ready; 0 turns it off.',
    }),
    token: Type.Null({
      default: null,
      later: true,
      secret: true,
      reload: true,
      description: 'What other hosts must show to use the API and the dashboard.',
    }),
  },
  { additionalProperties: false },
);
