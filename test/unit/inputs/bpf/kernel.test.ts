import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  fanOutProgram,
  reusePortProgram,
  type SteeringOptions,
} from '../../../../src/inputs/bpf/steering.ts';
import {
  FILTER_ADDRESSES_MAX,
  FILTER_PORTS_MAX,
  tunnelFilter,
} from '../../../../src/inputs/bpf/tunnel-filter.ts';
import { sockaddrLl } from '../../../../src/native/layout.ts';
import { socketAddressOf } from '../../../../src/inputs/socket-address.ts';
import {
  family,
  fanOut,
  ipv6Option,
  level,
  packetOption,
  socketOption,
  socketType,
} from '../../../../src/native/constants.ts';
import { interfaceIndex } from '../../../../src/native/interface.ts';
import { MessageVector, receiveMessages, sendMessages } from '../../../../src/native/messages.ts';
import {
  attachProgram,
  bindSocket,
  closeDescriptor,
  openSocket,
  setIntOption,
} from '../../../../src/native/socket.ts';
import { EtherType } from '../../../../src/wire/ether-type.ts';
import { Ad, run } from '../../../support/bpf-machine.ts';
import {
  inNamespace,
  requiresNamespaces,
  type TestNetwork,
  withNetwork,
} from '../../../support/namespaces.ts';
import { requiresNative } from '../../../support/native.ts';
import { oddProbes, type Probe, receiver, tunnelProbes } from '../../../support/tunnel-probes.ts';

const able = [requiresNamespaces(), await requiresNative()].every(Boolean);
const MEMBERS = 5;
const ETH_P_ALL = 3;
const UDP_PORTS = [4789, 6081] as const;
const ports = { vxlanPorts: [4789], genevePorts: [6081] };
const WAIT_MS = 20_000;

function ancillary({ etherType, packetType = 0, vlanTag }: Probe): Record<number, number> {
  const present = Number(vlanTag !== undefined);
  return {
    [Ad.protocol]: etherType,
    [Ad.packetType]: packetType,
    [Ad.vlanTagPresent]: present,
    [Ad.vlanTag]: vlanTag ?? 0,
  };
}

function bindingTo(name: string, protocol: number): Buffer {
  const { at, bytes } = sockaddrLl;
  const binding = Buffer.alloc(bytes);
  binding.writeUInt16LE(family.AF_PACKET, at.sll_family);
  binding.writeUInt16BE(protocol, at.sll_protocol);
  binding.writeInt32LE(interfaceIndex(name), at.sll_ifindex);
  return binding;
}

function send(network: TestNetwork, probes: readonly Probe[]): void {
  const descriptor = inNamespace(network.sender, () => {
    const opened = openSocket(family.AF_PACKET, socketType.SOCK_RAW, 0);
    bindSocket(opened, bindingTo(network.senderInterface, 0));
    return opened;
  });
  const vector = new MessageVector(1, 4096, 0, 0);
  for (const bytes of probes.flatMap(({ frames }) => frames)) {
    vector.bytes.set(bytes, vector.bufferAt(0));
    vector.setLength(0, bytes.length);
    while (sendMessages(descriptor, vector, 0, 1) === 0);
  }
  closeDescriptor(descriptor);
}

/** Which member got which bytes, until so many have come and nothing more follows. */
async function drain(descriptors: readonly number[], expected: number): Promise<Map<string, number>> {
  const vector = new MessageVector(64, 4096, 0, 0);
  const got = new Map<string, number>();
  const take = (): number => {
    let count = 0;
    for (const [member, descriptor] of descriptors.entries()) {
      for (
        let more = receiveMessages(descriptor, vector);
        more > 0;
        more = receiveMessages(descriptor, vector)
      ) {
        for (let i = 0; i < more; i++) {
          const at = vector.bufferAt(i);
          got.set(vector.bytes.toString('hex', at, at + vector.length(i)), member);
        }
        count += more;
      }
    }
    return count;
  };
  for (const end = Date.now() + WAIT_MS; got.size < expected && Date.now() < end; await sleep(5)) take();
  // what should not come has had its chance: it was sent before what did
  await sleep(50);
  take();
  return got;
}

function openFanOut(network: TestNetwork, options: SteeringOptions, filter: Uint8Array): number[] {
  return inNamespace(network.receiver, () =>
    Array.from({ length: MEMBERS }, (_, member) => {
      const descriptor = openSocket(family.AF_PACKET, socketType.SOCK_DGRAM, 0);
      attachProgram(descriptor, level.SOL_SOCKET, socketOption.SO_ATTACH_FILTER, filter);
      setIntOption(descriptor, level.SOL_SOCKET, socketOption.SO_RCVBUFFORCE, 1 << 24);
      bindSocket(descriptor, bindingTo(network.receiverInterface, ETH_P_ALL));
      const type = fanOut.PACKET_FANOUT_CBPF | fanOut.PACKET_FANOUT_FLAG_DEFRAG;
      setIntOption(descriptor, level.SOL_PACKET, packetOption.PACKET_FANOUT, (type << 16) | 4711);
      if (member === 0)
        attachProgram(descriptor, level.SOL_PACKET, packetOption.PACKET_FANOUT_DATA, fanOutProgram(options));
      return descriptor;
    }),
  );
}

function openReusePort(network: TestNetwork, options: SteeringOptions, port: number): number[] {
  return inNamespace(network.receiver, () =>
    Array.from({ length: MEMBERS }, (_, member) => {
      const descriptor = openSocket(family.AF_INET6, socketType.SOCK_DGRAM, 0);
      setIntOption(descriptor, level.IPPROTO_IPV6, ipv6Option.IPV6_V6ONLY, 0);
      setIntOption(descriptor, level.SOL_SOCKET, socketOption.SO_REUSEPORT, 1);
      setIntOption(descriptor, level.SOL_SOCKET, socketOption.SO_RCVBUFFORCE, 1 << 24);
      if (member === 0) {
        const program = reusePortProgram(options, port, MEMBERS);
        attachProgram(descriptor, level.SOL_SOCKET, socketOption.SO_ATTACH_REUSEPORT_CBPF, program);
      }
      bindSocket(descriptor, socketAddressOf({ version: 6, bytes: new Uint8Array(16) }, port));
      return descriptor;
    }),
  );
}

const steerings = ['flow', 'flow-ports', 'vni'] as const;

test.skipIf(!able).each(steerings)(
  'packet sockets get what the tests’ machine says: %s',
  async (steering) => {
    const options = { steering, ...ports };
    const filter = tunnelFilter({
      ports: UDP_PORTS,
      addresses4: [receiver.ipv4],
      addresses6: [receiver.ipv6],
      taggedToo: true,
    });
    const program = fanOutProgram(options);
    await withNetwork('veth', async (network) => {
      const descriptors = openFanOut(network, options, filter);
      const probes = [...oddProbes(), ...tunnelProbes()];
      const expected = new Map<string, number>();
      for (const probe of probes) {
        // each fragment of IPv6 comes by itself
        const packets =
          probe.etherType === EtherType.ipv6 && probe.frames.length > 1
            ? probe.frames.map((bytes) => bytes.subarray(14))
            : [probe.seen];
        for (const packet of packets) {
          if (run(filter, packet, ancillary(probe)) > 0)
            expected.set(packet.toString('hex'), run(program, packet, ancillary(probe)) % MEMBERS);
        }
      }
      expect(expected.size).toBe(probes.length - 4 + 1);
      send(network, probes);
      const got = await drain(descriptors, expected.size);
      descriptors.forEach(closeDescriptor);
      expect(Object.fromEntries(got)).toEqual(Object.fromEntries(expected));
      expect(new Set(got.values()).size).toBe(MEMBERS);
    });
  },
);

test.skipIf(!able).each(steerings)(
  'UDP sockets of a port get what the tests’ machine says: %s',
  async (steering) => {
    const options = { steering, ...ports };
    await withNetwork('veth', async (network) => {
      const groups = UDP_PORTS.map((port) => openReusePort(network, options, port));
      const probes = [...oddProbes(), ...tunnelProbes()];
      send(network, probes);
      for (const [index, port] of UDP_PORTS.entries()) {
        const program = reusePortProgram(options, port, MEMBERS);
        const payloads = probes.flatMap((probe) =>
          probe.port === port && probe.payload !== undefined ? [probe.payload] : [],
        );
        const expected = new Map(payloads.map((payload) => [payload.toString('hex'), run(program, payload)]));
        const got = await drain(groups[index]!, expected.size);
        expect(Object.fromEntries(got)).toEqual(Object.fromEntries(expected));
        expect(new Set(got.values()).size).toBe(MEMBERS);
      }
      groups.flat().forEach(closeDescriptor);
    });
  },
);

/** Kernels before 6.9 allow a socket 20,480 bytes of programs unless they are told otherwise. */
const LIMIT_FILE = '/proc/sys/net/core/optmem_max';
const OLD_LIMIT_BYTES = '20480';

test.skipIf(!able)('the largest programs fit what older kernels allow a socket', async () => {
  const many = (bytes: number): Uint8Array[] =>
    Array.from({ length: FILTER_ADDRESSES_MAX }, (_, index) => new Uint8Array(bytes).fill(0x80 + index));
  const numbers = (from: number, count: number): number[] =>
    Array.from({ length: count }, (_, index) => from + index);
  const filter = tunnelFilter({
    ports: numbers(4000, FILTER_PORTS_MAX),
    addresses4: many(4),
    addresses6: many(16),
    taggedToo: true,
  });
  await withNetwork('veth', async (network) => {
    inNamespace(network.receiver, () => {
      // a limit of each namespace since 6.9, and hidden in them before
      if (existsSync(LIMIT_FILE)) {
        writeFileSync(LIMIT_FILE, OLD_LIMIT_BYTES);
        expect(readFileSync(LIMIT_FILE, 'utf8').trim()).toBe(OLD_LIMIT_BYTES);
      }
      const packets = openSocket(family.AF_PACKET, socketType.SOCK_DGRAM, 0);
      attachProgram(packets, level.SOL_SOCKET, socketOption.SO_ATTACH_FILTER, filter);
      closeDescriptor(packets);
      for (const steering of steerings) {
        const options = { steering, vxlanPorts: numbers(4789, 16), genevePorts: numbers(6081, 16) };
        const socket = openSocket(family.AF_INET, socketType.SOCK_DGRAM, 0);
        setIntOption(socket, level.SOL_SOCKET, socketOption.SO_REUSEPORT, 1);
        attachProgram(
          socket,
          level.SOL_SOCKET,
          socketOption.SO_ATTACH_REUSEPORT_CBPF,
          reusePortProgram(options, 6081, 8),
        );
        closeDescriptor(socket);
      }
    });
    await Promise.resolve();
  });
});
