import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { refuseTakenPorts } from '../../../src/inputs/taken-ports.ts';

test('a port that is taken, and an address that is not ours, are told apart', async () => {
  const other = createSocket('udp4');
  other.bind(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address();
  await expect(refuseTakenPorts('127.0.0.1', [port])).rejects.toMatchObject({
    code: 'UDP_BIND_FAILED',
    message: expect.stringContaining('another mirrortap'),
  });
  other.close();
  // RFC 5737: nobody has it
  await expect(refuseTakenPorts('192.0.2.1', [port])).rejects.toMatchObject({
    code: 'UDP_BIND_FAILED',
    message: expect.stringContaining('listen.address'),
    context: { address: '192.0.2.1', port },
  });
});
