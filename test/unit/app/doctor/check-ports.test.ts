import { port, testFindings } from '../../../support/doctor-facts.ts';

testFindings([
  {
    name: 'ports',
    when: 'another program has one',
    facts: {
      ports: [
        port({ refusal: 'EADDRINUSE', holder: { pid: 7, program: 'socat', isMirrortap: false } }),
        port({ port: 6081 }),
      ],
    },
    status: 'problem',
    says: /UDP port 4789 on 0\.0\.0\.0 is taken by process 7 \(socat\)/,
  },
  {
    name: 'ports',
    when: 'an appliance runs',
    facts: {
      ports: [port({ refusal: 'EADDRINUSE', holder: { pid: 7, program: 'mirrortap', isMirrortap: true } })],
    },
    status: 'note',
    says: /process 7/,
  },
  {
    name: 'ports',
    when: "another user's program has one",
    facts: {
      ports: [
        port({
          refusal: 'EADDRINUSE',
          holder: { pid: undefined, program: 'a program of the user with number 0', isMirrortap: false },
        }),
      ],
    },
    status: 'problem',
    says: /taken by a program of the user with number 0/,
  },
  {
    name: 'ports',
    when: 'nobody knows who has it',
    facts: { ports: [port({ refusal: 'EADDRINUSE' })] },
    status: 'problem',
    says: /taken by a program that this user may not see/,
  },
  {
    name: 'ports',
    when: 'the address is not there',
    facts: { ports: [port({ address: '192.0.2.1', refusal: 'EADDRNOTAVAIL' })] },
    status: 'problem',
    says: /192\.0\.2\.1 cannot be had: EADDRNOTAVAIL/,
  },
  { name: 'ports', when: 'there are none', facts: { ports: [] }, status: 'problem', says: /no tunnel port/ },
  {
    name: 'http-port',
    when: 'it is below 1024',
    facts: { ports: [port({}), port({ protocol: 'tcp', port: 80, refusal: 'EACCES' })] },
    status: 'problem',
    says: /TCP port 80 .* EACCES/,
  },
  {
    name: 'http-port',
    when: 'any will do',
    facts: { ports: [port({})] },
    status: 'ok',
    says: /any free port/,
  },
]);
