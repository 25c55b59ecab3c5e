import { eth0, settings, testFindings } from '../../../support/doctor-facts.ts';

testFindings([
  {
    name: 'interfaces',
    when: 'there are none',
    facts: { interfaces: { failure: 'No network interface is up and has an address.' } },
    status: 'problem',
    says: /^No network interface/,
  },
  {
    name: 'mtu',
    when: 'it is 1,500 on EC2',
    facts: eth0(1500),
    status: 'problem',
    says: /up to 1446 \(.* 1426\)/,
  },
  {
    name: 'mtu',
    when: 'it is 1,500 elsewhere',
    facts: { ...eth0(1500), isEc2: false },
    status: 'problem',
    says: /up to 1446/,
  },
  {
    name: 'mtu',
    when: 'it fits 1,500 of the source, elsewhere',
    facts: { ...eth0(1554), isEc2: false },
    status: 'note',
    says: /up to 1500/,
  },
  {
    name: 'mtu',
    when: 'it fits 1,500 of the source, on EC2',
    facts: eth0(1554),
    status: 'problem',
    says: /1500/,
  },
  { name: 'mtu', when: 'it is a byte too small', facts: eth0(9000), status: 'problem', says: /up to 8946/ },
  {
    name: 'mtu',
    when: 'it is right',
    facts: eth0(9001),
    status: 'ok',
    says: /up to 8947 \(over IPv6 8927\)/,
  },
  {
    name: 'mtu',
    when: 'it fits a Gateway Load Balancer',
    facts: eth0(8568),
    settings: settings('behind=gwlb'),
    status: 'ok',
    says: /up to 8446 \(over IPv6 8426\)/,
  },
  {
    name: 'mtu',
    when: 'it does not fit a Gateway Load Balancer',
    facts: eth0(8567),
    settings: settings('behind=gwlb'),
    status: 'problem',
    says: /up to 8445/,
  },
  {
    name: 'mtu',
    when: 'the system does not tell',
    facts: eth0(undefined),
    status: 'note',
    says: /does not tell/,
  },
  {
    name: 'host-drops',
    when: 'an allowance was exceeded',
    facts: {
      hostDrops: new Map([
        ['nic', 0],
        ['ena_pps', 7],
      ]),
    },
    status: 'note',
    says: /7 packets of any kind were lost at ena_pps/,
  },
  {
    name: 'host-drops',
    when: 'nothing is told',
    facts: { hostDrops: new Map() },
    status: 'note',
    says: /not tell/,
  },
]);
