import { array, assert, boolean, integer, nat, property, record } from 'fast-check';
import { expect, test } from 'vitest';
import { SocketState } from '../../../../src/inputs/mmsg/socket-handle.ts';
import { WrappingCount } from '../../../../src/inputs/mmsg/socket-drops.ts';
import { openTestInput, openTestSockets, portOf } from '../../../support/mmsg-sockets.ts';
import { requiresNative } from '../../../support/native.ts';
import { Collector, senderOn, sendTo } from '../../../support/socket-traffic.ts';

const native = await requiresNative();
const LOOPBACK = '127.0.0.1';

test('a counter that wraps is followed, however late and old its reports are', () => {
  const report = record({ more: nat(0x7fff_0000), late: boolean(), behind: nat(0xffff) });
  assert(
    property(integer({ min: 0, max: 0xffff_ffff }), array(report, { maxLength: 40 }), (start, reports) => {
      const count = new WrappingCount(start);
      let total = 0;
      for (const { more, late, behind } of reports) {
        total += more;
        count.see((start + total) % 2 ** 32);
        if (late) count.see((start + Math.max(0, total - behind)) % 2 ** 32);
        expect(count.total).toBe(total);
      }
    }),
  );
});

test.skipIf(!native)(
  'received and dropped are together what was sent; a buffer too small drops, and none is counted twice',
  async () => {
    const set = await openTestSockets({ receiveBufferBytes: 16_384, vxlanPorts: [0, 0] });
    const from = await senderOn(LOOPBACK);
    const [state, other] = set.handles[0]!.map((socket) => new Uint32Array(socket.state));
    try {
      expect(set.kernelDrops()).toBe(0);
      let sent = 0;
      const send = async (count: number): Promise<void> => {
        for (const end = sent + count; sent < end; sent++) {
          await sendTo(from, Buffer.alloc(1000, sent), portOf(set), LOOPBACK);
        }
      };
      // nobody reads: what no longer fits is dropped, and no datagram comes after it to tell
      await send(500);
      const dropped = set.kernelDrops();
      expect(dropped).toBeGreaterThan(0);
      expect(set.kernelDrops()).toBe(dropped);
      expect(state![SocketState.drops]).toBe(0);

      const input = await openTestInput(set);
      const got = new Collector(input);
      await got.until(sent - dropped);
      await send(10);
      await sendTo(from, 'to the other socket', set.handles[0]![1]!.port, LOOPBACK);
      sent++;
      await got.until(sent - dropped);
      // the datagrams after it have told, and it is the same count
      expect(state![SocketState.drops]).toBe(dropped);
      expect(other![SocketState.drops]).toBe(0);
      expect(set.kernelDrops()).toBe(dropped);
      await input.close();
      await got.ended;
      await send(500);
      expect(set.kernelDrops()).toBeGreaterThan(dropped);

      const successor = await openTestInput(set);
      const rest = new Collector(successor);
      await successor.close();
      await rest.ended;
      expect(got.packets.length + rest.packets.length + set.kernelDrops()).toBe(sent);
    } finally {
      from.close();
      set.close();
    }
  },
);
