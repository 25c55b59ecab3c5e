/** VXLAN headers as they should not be, and some that look wrong and are not. */
import * as vxlan from '../../src/wire/vxlan.ts';
import { changed, type HostilePacket } from './hostile-packet.ts';
import { mirrored, outer, vxlanTunnel } from './mirrored.ts';
import { frame4, udpDatagram } from './packets.ts';
import { appliance } from './sessions.ts';
import { client, server } from './traffic.ts';

/** VNI of all well-formed tunnels among the hostile packets. */
const HOSTILE_VNI = 13;
/** Where the VXLAN header stands in an untagged packet over IPv4. */
const VXLAN_AT = 42;
const SOURCE_PORT = 50_000;

export const tunnel = vxlanTunnel(client, appliance, HOSTILE_VNI);
export const innerFrame = frame4(
  client,
  server,
  udpDatagram(4000, 4001, Buffer.from('a frame like any other')),
);

export function hostileVxlan(): HostilePacket[] {
  const good = mirrored(tunnel, innerFrame);
  const header = Buffer.alloc(vxlan.HEADER_LEN);
  vxlan.emit(header, 0, HOSTILE_VNI);
  const payload = good.subarray(VXLAN_AT);
  const reversed = { ...tunnel, port: SOURCE_PORT };
  return [
    { what: 'a VXLAN packet as it should be', outcome: 'delivered', bytes: good },
    { what: 'VXLAN, no flag says that the VNI is valid', outcome: 'vxlanNoVni', bytes: flags(good, 0x00) },
    { what: 'VXLAN, every flag but that one', outcome: 'vxlanNoVni', bytes: flags(good, 0xf7) },
    {
      what: 'VXLAN, every reserved bit set',
      outcome: 'delivered',
      bytes: changed(good, (bytes) => {
        bytes.fill(0xff, VXLAN_AT, VXLAN_AT + 4);
        bytes[VXLAN_AT + 7] = 0xff;
      }),
    },
    {
      what: 'VXLAN with a group policy id (GBP)',
      outcome: 'delivered',
      bytes: changed(good, (bytes) => bytes.set([0x88, 0x00, 0x12, 0x34], VXLAN_AT)),
    },
    {
      what: 'VXLAN header of seven bytes',
      outcome: 'vxlanTruncated',
      bytes: outer(tunnel, SOURCE_PORT, header.subarray(0, 7)),
    },
    {
      what: 'VXLAN port, no payload',
      outcome: 'vxlanTruncated',
      bytes: outer(tunnel, SOURCE_PORT, Buffer.alloc(0)),
    },
    {
      what: 'VXLAN around a frame of no bytes',
      outcome: 'delivered',
      bytes: outer(tunnel, SOURCE_PORT, header),
    },
    {
      what: 'VXLAN around a frame of one byte',
      outcome: 'delivered',
      bytes: outer(tunnel, SOURCE_PORT, Buffer.concat([header, Buffer.of(2)])),
    },
    {
      what: 'VXLAN around 60 zeros',
      outcome: 'delivered',
      bytes: outer(tunnel, SOURCE_PORT, Buffer.concat([header, Buffer.alloc(60)])),
    },
    { what: 'VXLAN around VXLAN', outcome: 'delivered', bytes: mirrored(tunnel, good) },
    {
      what: 'VXLAN with a broken outer UDP checksum',
      outcome: 'delivered',
      bytes: mirrored(tunnel, innerFrame, 'bad'),
    },
    {
      what: 'VXLAN bytes to the port of VXLAN-GPE',
      outcome: 'notTunnel',
      bytes: outer({ ...tunnel, port: 4790 }, SOURCE_PORT, payload),
    },
    {
      what: 'VXLAN bytes from port 4789 to another',
      outcome: 'notTunnel',
      bytes: outer(reversed, vxlan.DEFAULT_PORT, payload),
    },
    {
      what: 'VXLAN bytes to the port of GENEVE',
      outcome: 'geneveTruncated',
      bytes: outer({ ...tunnel, port: 6081 }, SOURCE_PORT, payload.subarray(0, 30)),
    },
  ];
}

function flags(packet: Buffer, value: number): Buffer {
  return changed(packet, (bytes) => bytes.fill(value, VXLAN_AT, VXLAN_AT + 1));
}
