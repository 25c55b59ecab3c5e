/** VLAN tags, from behind the EtherType that announces them. */
export const vlanVectors = [
  {
    name: 'VLAN 1, priority 0',
    source: 'IEEE 802.1Q clause 9.6',
    bytes: '0001 0800',
    id: 1,
    priority: 0,
    dropEligible: false,
    etherType: 0x0800,
  },
  {
    name: 'largest id, priority and drop eligible',
    source: 'IEEE 802.1Q clause 9.6',
    bytes: 'ffff 86dd',
    id: 4095,
    priority: 7,
    dropEligible: true,
    etherType: 0x86dd,
  },
  {
    name: 'priority only',
    source: 'IEEE 802.1Q clause 9.6: id 0',
    bytes: 'a000 0806',
    id: 0,
    priority: 5,
    dropEligible: false,
    etherType: 0x0806,
  },
  {
    name: 'a tag that announces another',
    source: 'IEEE 802.1ad',
    bytes: '3064 8100 0065 0800',
    id: 100,
    priority: 1,
    dropEligible: true,
    etherType: 0x8100,
  },
] as const;
