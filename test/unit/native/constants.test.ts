import { expect, test } from 'vitest';
import * as constants from '../../../src/native/constants.ts';
import { cFacts } from '../../support/c-facts.ts';
import { requires } from '../../support/requires.ts';

type Group = keyof typeof constants;

const headers: Readonly<Record<Group, readonly string[]>> = {
  family: ['sys/socket.h'],
  socketType: ['sys/socket.h'],
  level: ['sys/socket.h', 'netinet/in.h'],
  socketOption: ['asm/socket.h'],
  memoryInfo: ['linux/sock_diag.h'],
  packetOption: ['linux/if_packet.h'],
  fanOut: ['linux/if_packet.h'],
  ipOption: ['netinet/in.h'],
  ipv6Option: ['netinet/in.h'],
  udpOption: ['linux/udp.h'],
  messageFlag: ['sys/socket.h'],
  memory: ['sys/mman.h'],
  pollEvent: ['poll.h'],
  deviceRequest: ['linux/sockios.h'],
  interfaceFlag: ['net/if.h'],
  hardware: ['net/if_arp.h'],
  ethtool: ['linux/ethtool.h'],
  clockStatus: ['sys/timex.h'],
  capability: ['linux/capability.h'],
};

const groups = Object.entries(constants).map(([name, group]) => ({ name: name as Group, group }));

test.skipIf(!requires('gcc')).each(groups)('$name has the numbers of its headers', ({ name, group }) => {
  expect(Object.fromEntries(cFacts(headers[name], Object.keys(group)))).toEqual(group);
});
