/** GENEVE headers and options as they should not be, and some that look wrong and are not. */
import * as awsOption from '../../src/wire/aws-option.ts';
import { EtherType } from '../../src/wire/ether-type.ts';
import * as geneve from '../../src/wire/geneve.ts';
import { IpProtocol } from '../../src/wire/ip-protocol.ts';
import * as ipv4 from '../../src/wire/ipv4.ts';
import type { HostilePacket } from './hostile-packet.ts';
import { innerFrame, tunnel as vxlanTunnel } from './hostile-vxlan.ts';
import { mirrored, outer } from './mirrored.ts';
import { ipv4Packet, opaque } from './packets.ts';
import { client, server } from './traffic.ts';

const SOURCE_PORT = 60_000;
const VNI = 13;
const tunnel = { ...vxlanTunnel, port: geneve.DEFAULT_PORT };

export function hostileGeneve(): HostilePacket[] {
  const empty = Buffer.alloc(0);
  const plain = packet(EtherType.ethernet, empty, innerFrame);
  const vxlanPacket = mirrored(vxlanTunnel, innerFrame).subarray(14);
  const noVni = Buffer.from(vxlanPacket);
  noVni[28] = 0;
  const unfinished = packet(EtherType.ipv4, aws(), vxlanPacket.subarray(0, 26));
  const fragment = ipv4Packet(client.ipv4, server.ipv4, opaque(IpProtocol.udp, vxlanPacket.subarray(20)), {
    flagsAndOffset: ipv4.MORE_FRAGMENTS,
  });
  return [
    { what: 'a GENEVE packet as it should be', outcome: 'delivered', bytes: send(plain) },
    { what: 'GENEVE version 1', outcome: 'geneveVersion', bytes: send(first(plain, 0x40)) },
    {
      what: 'GENEVE version 3, everything else missing',
      outcome: 'geneveVersion',
      bytes: send(Buffer.of(0xc0)),
    },
    { what: 'GENEVE port, no payload', outcome: 'geneveTruncated', bytes: send(empty) },
    { what: 'GENEVE header of five bytes', outcome: 'geneveTruncated', bytes: send(plain.subarray(0, 5)) },
    {
      what: 'GENEVE, 252 bytes of options promised, 20 there',
      outcome: 'geneveTruncated',
      bytes: send(first(plain, 0x3f).subarray(0, 28)),
    },
    {
      what: 'GENEVE, an option longer than the options',
      outcome: 'geneveOption',
      bytes: ether('0100 01 1f 00000000'),
    },
    {
      what: 'GENEVE, the second option longer than the rest',
      outcome: 'geneveOption',
      bytes: ether('0100 01 00 0100 02 01'),
    },
    {
      what: 'GENEVE, an unknown critical option',
      outcome: 'geneveCritical',
      bytes: ether('0100 81 01 00000000'),
    },
    {
      what: 'GENEVE, an unknown critical type of the AWS class',
      outcome: 'geneveCritical',
      bytes: ether('0108 84 00'),
    },
    {
      what: 'GENEVE, an unknown option that is not critical',
      outcome: 'delivered',
      bytes: ether('0132 01 02 0011223344556677'),
    },
    { what: 'GENEVE, reserved bits of an option set', outcome: 'delivered', bytes: ether('0132 01 e0') },
    { what: 'GENEVE, 63 options without data', outcome: 'delivered', bytes: ether('01000100'.repeat(63)) },
    {
      what: 'GENEVE, the endpoint option half as long as it is',
      outcome: 'delivered',
      bytes: ether('0108 01 01 0a1b2c3d'),
    },
    { what: 'GENEVE, a control packet', outcome: 'geneveControl', bytes: send(second(plain, 0x80)) },
    { what: 'GENEVE, reserved flags set', outcome: 'delivered', bytes: send(second(plain, 0x3f)) },
    {
      what: 'GENEVE, payload of no known kind',
      outcome: 'geneveProtocol',
      bytes: send(packet(0, empty, innerFrame)),
    },
    {
      what: 'GENEVE around IPv4, nothing after the header',
      outcome: 'delivered',
      bytes: send(packet(EtherType.ipv4, aws(), empty)),
    },
    {
      what: 'GENEVE around IPv4, which is really IPv6',
      outcome: 'delivered',
      bytes: send(packet(EtherType.ipv4, aws(), Buffer.alloc(60, 0x60))),
    },
    {
      what: 'GENEVE around VXLAN without a valid VNI',
      outcome: 'vxlanNoVni',
      bytes: send(packet(EtherType.ipv4, aws(), noVni)),
    },
    {
      what: 'GENEVE around VXLAN, cut inside its UDP header',
      outcome: 'vxlanTruncated',
      bytes: send(unfinished),
    },
    {
      what: 'GENEVE around a fragment of VXLAN',
      outcome: 'delivered',
      bytes: send(packet(EtherType.ipv4, aws(), fragment)),
    },
  ];
}

function ether(options: string): Buffer {
  return send(packet(EtherType.ethernet, Buffer.from(options.replaceAll(' ', ''), 'hex'), innerFrame));
}

function send(payload: Buffer): Buffer {
  return outer(tunnel, SOURCE_PORT, payload);
}

function packet(protocolType: number, options: Buffer, payload: Buffer): Buffer {
  const header = Buffer.alloc(geneve.FIXED_LEN);
  geneve.emit(header, 0, protocolType, VNI, options.length);
  return Buffer.concat([header, options, payload]);
}

function aws(): Buffer {
  const options = Buffer.alloc(awsOption.OPTIONS_LEN);
  awsOption.emit(options, 0, 0x0a1b_2c3d, 0x4e5f_6071, 0, 0, 1);
  return options;
}

function first(bytes: Buffer, value: number): Buffer {
  return Buffer.concat([Buffer.of(value), bytes.subarray(1)]);
}

function second(bytes: Buffer, value: number): Buffer {
  return Buffer.concat([bytes.subarray(0, 1), Buffer.of(value), bytes.subarray(2)]);
}
